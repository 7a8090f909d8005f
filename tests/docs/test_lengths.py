"""Pages for a first hour are short; the README's figures are held against their files in test_figures.py."""

from pathlib import Path

import pytest
from doc_blocks import DOCS, ROOT

MOST_WORDS = {ROOT / "README.md": 1000, DOCS / "phone-to-pi.md": 900}


@pytest.mark.parametrize("page", MOST_WORDS, ids=lambda page: page.name)
def test_is_short(page: Path):
    assert len(page.read_text("utf-8").split()) <= MOST_WORDS[page]
