"""The house's rules on imports: rooms by their full name, one way only, and a device without TensorFlow.

Ruff's banned-api cannot hold the first rule: it takes the relative imports inside a room for the banned name.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "contract": set(),
    "data": {"contract"},
    "train": {"contract", "data"},
    "convert": {"contract", "data", "train", "device"},
    "device": {"contract", "data"},
    "firmware_harness": {"contract", "data", "device"},
    "cli": {"contract", "data", "train", "convert", "device", "firmware_harness"},
}
DEVICE_SIDE = ("contract", "data", "device", "firmware_harness")


def imported_modules(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return names


def sources(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", sources(*MAY_IMPORT, "tests"), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_are_imported_by_their_full_name(path: Path):
    assert not {name.split(".")[0] for name in imported_modules(path)} & MAY_IMPORT.keys()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room: str):
    for path in sources(room):
        other = {name.split(".")[1] for name in imported_modules(path) if name.startswith("deseptr.")} - {room}
        assert other <= MAY_IMPORT[room], path


@pytest.mark.parametrize("path", sources(*DEVICE_SIDE), ids=lambda p: str(p.relative_to(ROOT)))
def test_device_side_names_no_training_framework(path: Path):
    assert not {name.split(".")[0] for name in imported_modules(path)} & {"tensorflow", "keras", "sklearn"}


@pytest.mark.parametrize(
    "command", [["deseptr.device"], ["deseptr.cli", "device", "--help"], ["deseptr.cli", "compare", "--help"]]
)
def test_device_loads_no_training_framework(command: list[str]):
    module, *arguments = command
    code = (
        f"import runpy, sys; sys.argv[1:] = {arguments!r}\n"
        f"try: runpy.run_module({module!r}, run_name='__main__') if {arguments!r} else __import__({module!r})\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
