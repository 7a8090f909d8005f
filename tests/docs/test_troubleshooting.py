"""Every error text that the troubleshooting page quotes is still a text of the source."""

import ast
import re

import pytest
from doc_blocks import DOCS, ROOT

PACKAGES = (
    "cli",
    "contract",
    "convert",
    "data",
    "deseptr",
    "device",
    "evaluate",
    "firmware_harness",
    "report",
    "tflite",
    "train",
)
PAGE = DOCS / "troubleshooting.md"
# Where the first column is no text of a program.
OTHER = {"Labels that are wrong or missing"}
LEAST = 8


def quoted() -> list[str]:
    """The code spans in the first column of the page's tables."""
    found = []
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        title, *lines = section.splitlines()
        rows = [line for line in lines if line.startswith("| ")][1:]
        if title not in OTHER:
            assert rows, title
            found += [span for row in rows for span in re.findall(r"`([^`]+)`", row.split("|")[1])]
    return found


@pytest.fixture(scope="module")
def texts() -> str:
    """All string constants of the packages, those inside f-strings too, docstrings not; white space as one blank."""
    found: list[str] = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
            docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
            found += [
                " ".join(node.value.split())
                for node in nodes
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
            ]
    return "\n".join(found)


def test_the_page_quotes_many_errors():
    assert len(quoted()) >= 50


@pytest.mark.parametrize("text", quoted())
def test_quoted_text_is_in_the_source(text: str, texts: str):
    pieces = [piece.strip() for piece in text.split("…") if piece.strip()]
    assert max(map(len, pieces)) >= LEAST
    assert [piece for piece in pieces if piece not in texts] == []
