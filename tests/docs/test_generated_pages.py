"""Pages that are generated say what the code of today says; `make docs` writes them."""

import importlib.util
import subprocess
import sys
from types import ModuleType

from doc_blocks import DOCS

from deseptr.contract.moved import MODULES, NAMES


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(text: str) -> list[str]:
    """The words in order: how click breaks its lines depends on its version."""
    return text.split()


def test_command_reference_is_that_of_the_command_line():
    reference = script("make_command_reference")
    # In a new process: click keeps a command's help option from its first use, in a test maybe without its group.
    code = f"import runpy; print(runpy.run_path({str(DOCS / 'make_command_reference.py')!r})['page'](), end='')"
    page = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert words(reference.PAGE.read_text("utf-8")) == words(page)


def test_command_reference_has_every_command():
    text = script("make_command_reference").page()
    for command in ("deseptr data info", "deseptr train", "deseptr device run", "deseptr firmware boot-files"):
        assert f"## {command}\n" in text


def test_migration_page_is_that_of_the_tables():
    migration = script("make_migration_page")
    text = migration.PAGE.read_text("utf-8")
    assert text == migration.page(text)


def test_migration_page_has_every_moved_module():
    text = script("make_migration_page").PAGE.read_text("utf-8")
    for old, new in MODULES.items():
        assert f"| `{old}` | `{new}` |" in text


def test_migration_page_has_every_moved_name():
    text = script("make_migration_page").PAGE.read_text("utf-8")
    for package, moved in NAMES.items():
        for name, target in moved.items():
            now = target.replace(":", ".") if ":" in target else f"{target}.{name}"
            assert f"| `{package}.{name}` | `{now}` |" in text
