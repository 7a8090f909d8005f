"""Timing and scoring of a model with the current release on the board."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .guard import Guard
from .installed_service import InstalledServices
from .installing import clean_environment
from .probe import probe
from .refusal import RefusedError
from .releases import Releases
from .reporting import Report
from .service import Service

_TIMEOUT = 3600.0


def measure(releases: Releases, request: dict[str, Any], stream: IO[bytes], report: Report) -> Any:
    """Run the commands of a request on the files that come with it, while the service is stopped.

    Args:
        releases: the releases, of which the current one measures.
        request: ``files`` as a list of name and size, in the order of the stream; ``commands`` by name, words of
            `deseptr` in which ``@NAME`` stands for a file's path.
        stream: the files' bytes.
        report: called with a line for each step.

    Raises:
        RefusedError: if nothing is installed, or a command fails.
    """
    current = releases.current()
    if current is None:
        raise RefusedError(
            releases.prefix, found="no release", expected="an installed release", next_step="flash the board first"
        )
    folder = Path(tempfile.mkdtemp(prefix="deseptr-"))
    service = InstalledServices(releases).current()
    try:
        paths = {name: _take(stream, folder, name, size) for name, size in request["files"]}
        deseptr = releases.folder / current / "bin" / "deseptr"
        results = {}
        with _paused(service, releases.prefix):
            for name, words in request["commands"].items():
                report(f"{name} on the board")
                results[name] = _run([str(deseptr), *(_filled(word, paths) for word in words)], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"release": current, "board": probe(releases.prefix), "results": results}


@contextmanager
def _paused(service: Service, prefix: Path) -> Iterator[None]:
    """Have the service stand still, if it runs; it runs again afterwards, also if this process is killed."""
    if service.state() != "active":
        yield
        return
    with Guard(prefix) as guard:
        try:
            service.stop()
            yield
        finally:
            service.start()
            guard.dismiss()


def _take(stream: IO[bytes], folder: Path, name: str, size: int) -> Path:
    if Path(name).name != name or name.startswith("."):
        raise RefusedError("measure", found=repr(name), expected="a plain file name", next_step="rename the file")
    path = folder / name
    with path.open("wb") as file:
        while size:
            chunk = stream.read(min(size, 1 << 16))
            if not chunk:
                raise RefusedError("upload", found="its end", expected=f"{size} more bytes", next_step="measure again")
            file.write(chunk)
            size -= len(chunk)
    return path


def _filled(word: str, paths: dict[str, Path]) -> str:
    return str(paths[word[1:]]) if word[:1] == "@" and word[1:] in paths else word


def _run(command: Sequence[str], folder: Path) -> Any:
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            env=clean_environment(),
            cwd=folder,
            check=False,
        )
        if ended.returncode == 0:
            return json.loads(ended.stdout)
        found = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        found = f"no end after {_TIMEOUT:g} s"
    except (ValueError, RecursionError):
        found = "no JSON"
    raise RefusedError(
        " ".join(["deseptr", *command[1:3]]),
        found=found[:300],
        expected="figures",
        next_step="try the same command on the workstation; flash a release that has it",
    )
