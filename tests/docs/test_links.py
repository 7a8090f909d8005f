"""Links between the files at the root and the documents lead somewhere; those inside docs/ are MkDocs' own matter."""

import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


@pytest.mark.parametrize("name", FILES)
def test_relative_links_lead_to_files(name: str):
    text = (ROOT / name).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []


def test_the_readme_has_links():
    assert (ROOT / "README.md").read_text("utf-8").count("](docs/") > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_source_files_that_a_page_names_are_there(page: Path):
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.\w+)`", page.read_text("utf-8"))
    ours = [name for name in named if name.split("/")[0] in folders - {"runs", "site", "dist", "build", "demo"}]
    # The driver that the page about drivers has one write.
    assert [name for name in ours if not (ROOT / name).exists() and not name.endswith("lsm6dsr.py")] == []


def test_pages_name_source_files():
    assert (ROOT / "CONTRIBUTING.md").read_text("utf-8").count(".py`") > 10
