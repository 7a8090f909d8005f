"""The wheel holds every package and data file of the house."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_package_is_listed():
    mapped = SETTINGS["package-dir"].values()
    found = {
        ".".join(("deseptr", *path.parent.relative_to(ROOT).parts)).replace("deseptr.deseptr", "deseptr")
        for folder in mapped
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert found == set(SETTINGS["packages"])


def test_every_room_is_typed():
    assert all((ROOT / folder / "py.typed").exists() for folder in SETTINGS["package-dir"].values())
