"""Links between the files at the root and the documents lead somewhere; those inside docs/ are MkDocs' own matter."""

import re

import pytest
from doc_blocks import ROOT

FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


@pytest.mark.parametrize("name", FILES)
def test_relative_links_lead_to_files(name: str):
    text = (ROOT / name).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []


def test_the_readme_has_links():
    assert (ROOT / "README.md").read_text("utf-8").count("](docs/") > 10
