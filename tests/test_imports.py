"""The house's rules on imports: rooms by their full name, one way only, and a device without TensorFlow.

Ruff's banned-api cannot hold the first rule: it takes the relative imports inside a room for the banned name.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the ground up: a room may import those of the lines above its own.
FLOORS = (
    ("contract",),
    ("data", "tflite"),
    ("train", "device"),
    ("convert", "firmware_harness"),
    ("evaluate",),
    ("report",),
    ("cli",),
)
ROOMS = tuple(room for floor in FLOORS for room in floor)
# Narrower than their floor: a converted model knows nothing of sensors, a board nothing of training.
NOT = {"convert": {"device"}, "firmware_harness": {"train"}}
DEVICE_SIDE = ("contract", "data", "tflite", "device", "firmware_harness")


def may_import(room: str) -> set[str]:
    floor = next(number for number, rooms in enumerate(FLOORS) if room in rooms)
    return {below for rooms in FLOORS[:floor] for below in rooms} - NOT.get(room, set())


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


@pytest.mark.parametrize("path", sources(*ROOMS, "deseptr", "tests"), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_are_imported_by_their_full_name(path: Path):
    assert not {name.split(".")[0] for name in imported_modules(path)} & set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str):
    for path in sources(room):
        other = {name.split(".")[1] for name in imported_modules(path) if name.startswith("deseptr.")} - {room}
        assert other <= may_import(room), path


def test_no_room_but_the_harness_is_large():
    lines = {room: sum(len(path.read_text().splitlines()) for path in sources(room)) for room in ROOMS}
    whole = sum(lines.values())
    assert {room for room, count in lines.items() if count > 0.2 * whole} <= {"firmware_harness"}
    for part in ("simulator", "deploy", "emulator"):
        count = sum(len(path.read_text().splitlines()) for path in sources(f"firmware_harness/{part}"))
        assert count < 0.15 * whole, part


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
