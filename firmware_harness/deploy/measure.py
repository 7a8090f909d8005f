"""Speed and accuracy of a model on the board, compared with the same commands on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError

from .errors import FlashError
from .ssh import SshTarget
from .target.reporting import Report


def measure_board(
    board: SshTarget,
    prefix: str,
    model: Path,
    data: str,
    *,
    windows: int,
    subjects: str | None,
    simulate: bool,
    report: Report,
) -> dict[str, Any]:
    """Time and score a model on the board with the installed release, then on this machine.

    Args:
        board: the connection.
        prefix: folder of the releases on the board.
        model: a ``.tflite`` file.
        data: a file of recordings, or the name of a synthetic wearer.
        windows: number of windows to time.
        subjects: subjects to use, as ``5,10,12-14``; None for all.
        simulate: whether a simulated sensor plays the data, even if there is a real sensor.
        report: called with a line for each step.

    Returns:
        ``board`` and ``workstation``, each with ``profile`` and ``evaluate``, and facts about the board.

    Raises:
        FlashError: if the board has no release, or a command fails there.
        SetupError: if a file cannot be sent, or a command fails here.
    """
    files = _files(model, data)
    for path in files.values():
        if not path.is_file():
            raise SetupError(path, found="no such file", expected="a file to send", next_step="check the path")
    commands = measuring_commands(windows, subjects, "@data" if "data" in files else data, simulate=simulate)
    listed = [[_sent(name, path), path.stat().st_size] for name, path in files.items()]
    names = {f"@{name}": f"@{_sent(name, path)}" for name, path in files.items()}
    order = {
        "op": "measure",
        "prefix": prefix,
        "files": listed,
        "commands": {kind: [names.get(word, word) for word in words] for kind, words in commands.items()},
    }
    there = board.call(order, payload=_contents(files.values()), report=report)
    here = {kind: _run_here(kind, words, files, report) for kind, words in commands.items()}
    return {
        "model": model.name,
        "data": data,
        "destination": board.destination,
        "release": there["release"],
        "board_facts": there["board"],
        "board": there["results"],
        "workstation": here,
    }


def measuring_commands(windows: int, subjects: str | None, data: str, *, simulate: bool) -> dict[str, list[str]]:
    """The commands as arguments of `deseptr`; ``@model`` and ``@data`` stand for the files."""
    only = ["--test-subjects", subjects] if subjects else []
    sensor = ["--simulate", data] if simulate else []
    return {
        "profile": ["device", "profile", "@model", "--windows", str(windows), *sensor, "--json"],
        "evaluate": ["device", "evaluate", "@model", data, *only, "--json"],
    }


def _files(model: Path, data: str) -> dict[str, Path]:
    synthetic = data.partition(":")[0] == "synthetic"
    return {"model": model} if synthetic else {"model": model, "data": Path(data)}


def _sent(name: str, path: Path) -> str:
    """A file's name on the board, with its suffix, by which readers recognise its format."""
    return f"{name}{path.suffix}"


def _contents(paths: Sequence[Path] | Any) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 16):
                yield chunk


def _run_here(kind: str, words: Sequence[str], files: dict[str, Path], report: Report) -> Any:
    report(f"{kind} on this machine")
    paths = {f"@{name}": str(path) for name, path in files.items()}
    command = [sys.executable, "-m", "deseptr.cli", *(paths.get(word, word) for word in words)]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    try:
        if ended.returncode == 0:
            return json.loads(ended.stdout)
        found = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
    except (ValueError, RecursionError):
        found = "no JSON"
    raise FlashError(
        f"deseptr {' '.join(words[:2])}",
        found=found,
        expected="figures",
        next_step="run the command directly for details",
    )
