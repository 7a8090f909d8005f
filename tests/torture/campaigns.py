"""What is killed, and what must hold afterwards.

A campaign starts a command again and again, each time until it is killed at a random moment, on what was left before.
After each kill it looks at the files, and after the last it lets the command finish and compares with a run that nobody
disturbed.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from deseptr.contract import DeseptrError
from deseptr.data import load_dataset
from deseptr.tflite import read_tflite

DESEPTR = [sys.executable, "-m", "deseptr.cli"]
DATA = "synthetic:subjects=4,seconds=12"
TINY = ["--teacher-width", "4", "--teacher-epochs", "2", "--student-epochs", "3", "--dim", "8", "--heads", "2"]
TINY += ["--batch-size", "16"]
# What differs between two runs of the same training.
OF_A_RUN = {"minutes", "seconds", "windows_per_s", "machine", "command", "commit", "commits", "versions", "path"}


class Campaign(ABC):
    """A command under kills.

    Args:
        folder: an empty folder for it.
    """

    name: str
    # Share of the kills.
    share: int
    # Where the command has no end, it is taken to last so long.
    longest_s = 300.0
    # What is counted, with what it means here.
    promises: ClassVar[dict[str, str]]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.counts: Counter[str] = Counter(dict.fromkeys(self.promises, 0))
        self.notes: list[str] = []

    @abstractmethod
    def command(self, number: int) -> Sequence[str]:
        """The command of a kill."""

    def prepare(self) -> None:  # noqa: B027 - most need none
        """Before the first kill: the undisturbed run."""

    def before(self, number: int) -> None:  # noqa: B027 - most need none
        """Before a command starts."""

    def reset(self) -> None:  # noqa: B027 - most need none
        """Remove what the command left that was run to measure how long it takes."""

    @abstractmethod
    def check(self, number: int) -> None:
        """After a kill."""

    def finish(self) -> None:  # noqa: B027 - most need none
        """After the last kill."""

    def found(self, promise: str, note: str) -> None:
        """Count something that was promised not to happen."""
        self.counts[promise] += 1
        self.notes.append(f"{promise}: {note}"[:300])

    def end(self, *words: str) -> None:
        """Run a command to its end."""
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.found("torn", f"ended with {done.returncode}: {done.stderr[-200:]}")

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


def _read_whole(path: Path) -> None:
    if path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix in (".npz", ".keras"):
        with zipfile.ZipFile(path) as archive:
            if bad := archive.testzip():
                raise ValueError(f"damaged: {bad}")
    elif path.suffix == ".tflite":
        read_tflite(path)


def _same(one: Any, other: Any) -> bool:
    """Whether two trees of JSON are equal but for what differs between runs."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = (set(one) | set(other)) - OF_A_RUN
        return all(_same(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _same_arrays(one: Path, other: Path) -> bool:
    with np.load(one) as ours, np.load(other) as theirs:
        return set(ours) == set(theirs) and all(np.array_equal(ours[name], theirs[name]) for name in ours)


class Train(Campaign):
    name = "train"
    share = 25
    promises: ClassVar[dict[str, str]] = {
        "lost": "the resumed run differs from the undisturbed one, in any bit of its predictions or figures",
        "torn": "a file with its final name that cannot be read, or a run that does not go on",
        "left": "a temporary file after the run has finished",
    }
    # Kills of one run; then it finishes, and the next begins.
    chain = 5

    def command(self, number: int) -> Sequence[str]:
        run = self.folder / f"run-{number // self.chain}"
        return [*self._train(run), *(["--resume"] if (run / "config.json").exists() else ["--overwrite"])]

    def reset(self) -> None:
        shutil.rmtree(self.folder / "run-0", ignore_errors=True)

    def _train(self, run: Path) -> list[str]:
        return [*DESEPTR, "train", DATA, *TINY, "-o", str(run), "--test-subjects", "4"]

    def prepare(self) -> None:
        if not (self.folder / "reference" / "metrics.json").exists():
            self.end(*self._train(self.folder / "reference"), "--overwrite")

    def check(self, number: int) -> None:
        run = self.folder / f"run-{number // self.chain}"
        if run.exists():
            self.check_files(run)
        if number % self.chain == self.chain - 1:
            self._compare(number)

    def _compare(self, number: int) -> None:
        run, reference = self.folder / f"run-{number // self.chain}", self.folder / "reference"
        if not (run / "metrics.json").exists():
            self.end(*self.command(number))
        self.check_leftovers(run)
        if not (run / "metrics.json").exists():
            self.found("lost", f"{run.name} has not finished")
        elif not _same_arrays(run / "predictions.npz", reference / "predictions.npz"):
            self.found("lost", f"{run.name}: other predictions")
        elif not _same(
            json.loads((run / "metrics.json").read_text()), json.loads((reference / "metrics.json").read_text())
        ):
            self.found("lost", f"{run.name}: other figures")


class Crossval(Campaign):
    name = "crossval"
    share = 25
    promises: ClassVar[dict[str, str]] = {
        "lost": "a finished fold that is computed again, or a summary that differs from the undisturbed one",
        "torn": "a file with its final name that cannot be read, or a cross-validation that does not go on",
        "left": "a temporary file after the cross-validation has finished",
    }
    chain = 9

    def command(self, number: int) -> Sequence[str]:
        return self._crossval(self.folder / f"folds-{number // self.chain}")

    def reset(self) -> None:
        shutil.rmtree(self.folder / "folds-0", ignore_errors=True)

    def _crossval(self, out: Path) -> list[str]:
        return [
            *DESEPTR,
            "crossval",
            DATA,
            *TINY,
            "--protocol",
            "loso",
            "--folds",
            "1,2",
            "-o",
            str(out),
            "--jobs",
            "1",
        ]

    def prepare(self) -> None:
        if not (self.folder / "reference" / "crossval.json").exists():
            self.end(*self._crossval(self.folder / "reference"))

    def before(self, number: int) -> None:
        self._finished = {path: path.read_bytes() for path in self.folder.glob("folds-*/fold-*/result.json")}

    def check(self, number: int) -> None:
        for path, content in self._finished.items():
            if not path.exists() or path.read_bytes() != content:
                self.found("lost", f"{path.parent.name} was finished")
        out = self.folder / f"folds-{number // self.chain}"
        if out.exists():
            self.check_files(out)
        if number % self.chain == self.chain - 1:
            self._compare(number)

    def _compare(self, number: int) -> None:
        out, reference = self.folder / f"folds-{number // self.chain}", self.folder / "reference"
        self.end(*self.command(number))
        self.check_leftovers(out)
        ours, theirs = (folder / "crossval.json" for folder in (out, reference))
        if not ours.exists() or not _same(json.loads(ours.read_text()), json.loads(theirs.read_text())):
            self.found("lost", f"{out.name}: another summary")


class Convert(Campaign):
    name = "convert"
    share = 20
    promises: ClassVar[dict[str, str]] = {
        "lost": "the model that was there before is gone, without the new one in its place",
        "torn": "a model, report or page with its final name that cannot be read",
        "left": "a temporary file after a conversion that was not killed",
    }

    @property
    def _model(self) -> Path:
        return self.folder / "out" / "tiny.tflite"

    def command(self, number: int) -> Sequence[str]:
        words = ["convert", str(self.folder / "run"), "-o", str(self._model), "--agreement", "1", "--loss", "100"]
        return [*DESEPTR, *words]

    def prepare(self) -> None:
        if not (self.folder / "run" / "metrics.json").exists():
            self.end(*DESEPTR, "train", DATA, *TINY, "-o", str(self.folder / "run"), "--overwrite")
        if not (self.folder / "reference.tflite").exists():
            self.end(*self.command(0))
            shutil.copy(self._model, self.folder / "reference.tflite")

    def before(self, number: int) -> None:
        # Every second conversion replaces an earlier model, every other makes the first.
        self._model.unlink(missing_ok=True)
        if number % 2:
            shutil.copy(Path(__file__).parents[1] / "formats" / "1" / "model.tflite", self._model)
        self._before = self._model.read_bytes() if number % 2 else None

    def check(self, number: int) -> None:
        now = self._model.read_bytes() if self._model.exists() else None
        if now not in (self._before, (self.folder / "reference.tflite").read_bytes()):
            self.found("lost", "neither the old model nor the new one")
        self.check_files(self._model.parent)

    def finish(self) -> None:
        self._model.unlink(missing_ok=True)
        self.end(*self.command(0))
        self.check_leftovers(self._model.parent)


class Record(Campaign):
    name = "record"
    share = 40
    longest_s = 12.0
    promises: ClassVar[dict[str, str]] = {
        "lost": "a sample missing between two that are in the file",
        "duplicated": "a sample that is in the file twice",
        "reordered": "a sample that is before an earlier one",
        "torn": "a line that is not whole, or a folder that cannot be read as recordings",
    }

    def command(self, number: int) -> Sequence[str]:
        words = ["device", "record", "--subject", "ada", "--label", "walking", "--prepare", "0", "--simulate"]
        return [*DESEPTR, *words, "synthetic", "-o", str(self.folder / "takes")]

    def check(self, number: int) -> None:
        for path in set((self.folder / "takes").glob("*.csv")) - self._checked:
            self._check_take(path)
            self._checked.add(path)

    def prepare(self) -> None:
        self._checked: set[Path] = set()

    def reset(self) -> None:
        shutil.rmtree(self.folder / "takes", ignore_errors=True)

    def _check_take(self, path: Path) -> None:
        content = path.read_text()
        if content and not content.endswith("\n"):
            self.found("torn", f"{path.name} ends in {content[-40:]!r}")
        rows = list(csv.DictReader(content.splitlines()))
        if any(None in row or None in row.values() for row in rows):
            self.found("torn", f"{path.name} has a row of another length")
        steps = np.diff([float(row["t"]) for row in rows if row.get("t")])
        self.counts["lost"] += int((steps > 0.03).sum())
        self.counts["duplicated"] += int((steps == 0).sum())
        self.counts["reordered"] += int((steps < 0).sum())

    def finish(self) -> None:
        try:
            load_dataset(self.folder / "takes")
        except DeseptrError as error:
            self.found("torn", str(error))


def by_recording(values: Sequence[float]) -> list[tuple[int, float]]:
    """Number of the recording of each window, of which only the sample or time is known: both begin anew in each."""
    found: list[tuple[int, float]] = []
    recording = 0
    for place, value in enumerate(values):
        recording += place > 0 and value == values[0]
        found.append((recording, value))
    return found


class Events(Campaign):
    """The windows that a run printed, against those that an output has; a run is told by its number."""

    # What an output has of a window: its first sample, or its time in the recording.
    told_by: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.printed: dict[int, list[Any]] = {}

    def compare(self, run: int, kept: list[Any]) -> None:
        """Windows of a run that an output kept, in its order."""
        printed = self.printed[run]
        self.counts["duplicated"] += len(kept) - len(set(kept))
        first = list(dict.fromkeys(kept))
        order = {window: place for place, window in enumerate(printed)}
        places = [order[window] for window in first if window in order]
        self.counts["reordered"] += sum(later < earlier for earlier, later in pairwise(places))
        # What came after the last that was kept was on its way when the process was killed.
        last = max(places, default=-1)
        missing = last + 1 - len(places)
        self.counts["lost"] += missing
        if missing:
            self.notes.append(f"run {run}: {missing} of {last + 1} windows are missing")
        self.counts["on their way"] += len(printed) - 1 - last

    def read_printed(self, run: int) -> None:
        """Windows on the run's standard output; its last line may not be whole."""
        lines = (self.folder / f"{run}.jsonl").read_text().splitlines()
        found = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if "probabilities" in event:
                found.append((event["recording"], event[self.told_by]))
        self.printed[run] = found


class Csv(Events):
    name = "run --csv"
    told_by = "sample"
    share = 40
    promises: ClassVar[dict[str, str]] = {
        "lost": "a window that was printed before another one that is in the file, and is not",
        "duplicated": "a window twice in the file",
        "reordered": "a window before an earlier one",
        "torn": "a row that is not whole, but for the last one of a killed run until the next run begins",
        "on their way": "not promised: windows that were printed just before the kill",
    }

    def command(self, number: int) -> Sequence[str]:
        words = ["device", "run", "--simulate", "synthetic:subjects=3,seconds=40", "--speed", "max", "--json"]
        return [*DESEPTR, *words, "--csv", str(self.folder / "events.csv"), "--csv-size", "0.2", "--csv-keep", "200"]

    def before(self, number: int) -> None:
        self._rows = len(self._all_rows())

    def check(self, number: int) -> None:
        self.read_printed(number)
        rows = self._all_rows()[self._rows :]
        windows = [row for row in rows if len(row) > 6 and row[2] == "window" and row[6]]
        self.compare(number, by_recording([int(row[6]) for row in windows]))

    def finish(self) -> None:
        self.before(0)
        self.end(*self.command(0))
        width = len(self._all_rows()[0])
        for path in self._files():
            content = path.read_text()
            if not content.endswith("\n") or any(len(line.split(",")) < width for line in content.splitlines()):
                self.found("torn", path.name)

    def reset(self) -> None:
        for path in self._files():
            path.unlink()

    def _files(self) -> list[Path]:
        numbered = sorted(self.folder.glob("events.csv.*"), key=lambda path: -int(path.suffix[1:]))
        return [*numbered, *self.folder.glob("events.csv")]

    def _all_rows(self) -> list[list[str]]:
        rows = []
        for path in self._files():
            lines = path.read_text().splitlines(keepends=True)
            rows += [
                line.rstrip("\n").split(",") for line in lines if line.endswith("\n") and not line.startswith("time,")
            ]
        return rows


class Mqtt(Events):
    name = "run --mqtt"
    told_by = "t"
    share = 40
    promises: ClassVar[dict[str, str]] = {
        "lost": "a window that was printed before another one that was delivered, and was not",
        "duplicated": "a window that was delivered twice (QoS 1 allows those in flight at a kill)",
        "reordered": "a window that was first delivered after a later one",
        "torn": "a payload that is no JSON, or a spool that the next run cannot use",
        "on their way": "not promised: windows that were printed just before the kill",
    }

    def prepare(self) -> None:
        from broker import Broker, Subscriber

        self._broker = Broker(self.folder)
        self._broker.start()
        self._subscriber = Subscriber(self._broker.port)

    def command(self, number: int) -> Sequence[str]:
        words = ["device", "run", "--simulate", "synthetic:subjects=3,seconds=40", "--speed", "max", "--json"]
        words += ["--mqtt", f"127.0.0.1:{self._broker.port}", "--mqtt-node", f"r{number}"]
        return [*DESEPTR, *words, "--mqtt-spool", str(self.folder / "spool.db")]

    def before(self, number: int) -> None:
        # Every third run has no broker: it waits on disk for the next.
        if number % 3 == 2:
            self._broker.kill()
        elif not self._broker.running:
            self._broker.start()

    def check(self, number: int) -> None:
        self.read_printed(number)

    def finish(self) -> None:
        if not self._broker.running:
            self._broker.start()
        self.end(*self.command(len(self.printed)))
        self._subscriber.settle()
        for run in sorted(self.printed):
            self.compare(run, self._delivered(run))
        self._subscriber.close()
        self._broker.kill()

    def _delivered(self, run: int) -> list[tuple[int, float]]:
        messages = []
        for payload in self._subscriber.on(f"deseptr/r{run}/window"):
            try:
                event = json.loads(payload)
                messages.append((event["time"], event["confidence"], event["t"]))
            except (ValueError, KeyError, TypeError):
                self.found("torn", repr(payload[:60]))
        # A message that comes twice has been made once.
        unique = list(dict.fromkeys(messages))
        self.counts["duplicated"] += len(messages) - len(unique)
        return by_recording([t for _, _, t in unique])


def campaigns() -> Iterable[type[Campaign]]:
    """All of them."""
    return (Record, Csv, Mqtt, Convert, Train, Crossval, *_install())


def _install() -> Iterable[type[Campaign]]:
    try:
        from installing import Install
    except ImportError:
        return ()
    return (Install,)
