"""The picture of the packages shows all of them, and no arrow that the code does not have."""

import ast
import re

from doc_blocks import DOCS, ROOT

PICTURE = (DOCS / "images" / "rooms.svg").read_text("utf-8")
FACE = "api"


def packages() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/py.typed")} - {"deseptr"} | {FACE}


def imported_by(package: str) -> set[str]:
    """Packages that modules of a package import, wherever in the module."""
    folder, pattern = (ROOT / "deseptr", "api*.py") if package == FACE else (ROOT / package, "**/*.py")
    names: set[str] = set()
    for path in folder.glob(pattern):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module or "")
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("deseptr.")}


def test_every_package_is_drawn():
    assert set(re.findall(r'class="name"[^>]*>([^<]+)<', PICTURE)) == packages()


def test_every_arrow_is_an_import():
    arrows = re.findall(r'data-from="(\w+)" data-to="(\w+)"', PICTURE)
    assert {name for arrow in arrows for name in arrow} == packages()
    # The library's face is drawn where it is going to be until it is there.
    checked = [(a, b) for a, b in arrows if a != FACE or (ROOT / "deseptr" / "api.py").exists()]
    assert [(a, b) for a, b in checked if b not in imported_by(a)] == []
