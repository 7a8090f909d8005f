"""A command that is killed again and again on what was left before, and what is promised of its files."""

from __future__ import annotations

import json
import os
import random
import signal
import time
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Protocol

from deseptr.tflite import read_tflite

_TICKS_S = os.sysconf("SC_CLK_TCK")
_LOOK_S = 0.003


class Process(Protocol):
    """A command that was started; it leads a session of its own."""

    @property
    def pid(self) -> int:
        """Its number."""

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code; None if it has not ended within that time."""


class Campaign(ABC):
    """A command under kills.

    Args:
        folder: a folder for it.
    """

    name: ClassVar[str]
    # Share of the kills.
    share: ClassVar[int]
    # What is counted, with what it means here; only those in ``excused`` may happen.
    promises: ClassVar[dict[str, str]]
    excused: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.counts: Counter[str] = Counter(dict.fromkeys(self.promises, 0))
        self.notes: list[str] = []
        self.lasts = 0.0

    def prepare(self) -> None:  # noqa: B027 - most need none
        """Before the first kill: the undisturbed run, which also tells how long the command takes."""

    def before(self, number: int) -> None:  # noqa: B027 - most need none
        """Before a command starts."""

    @abstractmethod
    def start(self, number: int) -> Process:
        """Start the command of a kill."""

    def wait(self, process: Process, rng: random.Random) -> None:
        """Wait for the moment of the kill: a random share of the processor's time that the undisturbed run took."""
        target = rng.uniform(0, self.lasts)
        while process.wait(_LOOK_S) is None and processor_s(process.pid) < target:
            pass
        # Ticks are coarse.
        process.wait(rng.uniform(0, 1 / _TICKS_S))

    def kill(self, process: Process) -> None:
        """SIGKILL to it and to all of its session."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @abstractmethod
    def check(self, number: int) -> None:
        """After a kill, or after the command has ended before it."""

    def finish(self) -> None:  # noqa: B027 - most need none
        """After the last kill."""

    def close(self) -> None:  # noqa: B027 - most need none
        """End what still runs."""

    def found(self, promise: str, note: str) -> None:
        """Count something that was promised not to happen."""
        self.counts[promise] += 1
        self.notes.append(f"{promise}: {note}"[:300])

    def end(self, process: Process) -> float:
        """Let a command run to its end; the processor's time that it took, seconds."""
        taken = 0.0
        while (code := process.wait(_LOOK_S)) is None:
            taken = max(taken, processor_s(process.pid))
        if code != 0:
            self.found("torn", f"a command that was not killed ended with {code}: {self.last_words()}")
        return taken

    def last_words(self) -> str:
        """The last line that a command wrote on stderr."""
        return ((self.folder / "errors").read_text(errors="replace").strip().splitlines() or [""])[-1][:250]

    def check_files(self, below: Path) -> None:
        """Every file that has its final name is whole."""
        for path in below.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                try:
                    _read_whole(path)
                except Exception as error:  # whatever a broken file leads to
                    self.found("torn", f"{path.relative_to(self.folder)}: {error!r}")

    def check_leftovers(self, below: Path) -> None:
        """No temporary file outlives the run that finished after its own was killed."""
        for path in below.rglob(".*"):
            if path.is_file():
                self.found("left", str(path.relative_to(self.folder)))


def wait_share(process: Process, path: Path, size: float) -> None:
    """Wait until a file that a command writes has a size."""
    while process.wait(_LOOK_S) is None and (not path.exists() or path.stat().st_size < size):
        pass


def wait_for_writing(process: Process, folder: Path) -> None:
    """Wait until a temporary file is in a folder; without a pause, since it is there for less than a millisecond."""
    while process.wait(0) is None and not any(path.name.startswith(".") for path in folder.iterdir()):
        pass


def processor_s(pid: int) -> float:
    """Processor's time of a process and those that it has started, seconds; 0 once it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    # User and system, of itself and of those that it has waited for: proc_pid_stat(5), fields 14 to 17.
    return sum(map(int, fields[11:15])) / _TICKS_S + sum(processor_s(int(each)) for each in below)


def wait_until(condition: object, seconds: float, what: str) -> None:
    """Wait until a function returns something true.

    Raises:
        SystemExit: if it does not within that time.
    """
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit(what)
        time.sleep(0.02)


def _read_whole(path: Path) -> None:
    if path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix in (".npz", ".keras"):
        with zipfile.ZipFile(path) as archive:
            if bad := archive.testzip():
                raise ValueError(f"damaged: {bad}")
    elif path.suffix == ".tflite":
        read_tflite(path)


def campaigns() -> Sequence[type[Campaign]]:
    """All of them."""
    from calibrating import Calibrate
    from installing import Install
    from personalising import Personalise
    from recording import Record
    from running import Csv, Mqtt
    from training import Convert, Crossval, Train
    from wearing import Web

    return (Record, Csv, Mqtt, Install, Personalise, Web, Calibrate, Train, Crossval, Convert)
