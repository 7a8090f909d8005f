"""The README is short; its figures are held against their files in test_figures.py."""

from doc_blocks import ROOT

MOST_WORDS = 1000


def test_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= MOST_WORDS
