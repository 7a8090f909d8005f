"""``train``, ``crossval`` and ``convert`` under kills: after all of them, the result is that of an undisturbed run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from campaign import Campaign, Process
from warm import TRAINING, Warm

DATA = "synthetic:subjects=4,seconds=4"
TINY = ["--model", "deseptr-spectrogram", "--teacher-width", "4", "--teacher-epochs", "1", "--student-epochs", "2"]
TINY += ["--dim", "8", "--heads", "2", "--batch-size", "64"]
EARLIER_MODEL = Path(__file__).parents[1] / "formats" / "1" / "model.tflite"
# What differs between two runs of the same training.
OF_A_RUN = {"minutes", "seconds", "windows_per_s", "machine", "command", "commit", "commits", "versions", "path"}


class Training(Campaign):
    """Commands that need TensorFlow."""

    def prepare(self) -> None:
        self._warm = Warm(TRAINING)

    def deseptr(self, *words: str) -> Process:
        """Start a command."""
        return self._warm.start(words, self.folder, self.folder / "printed", self.folder / "errors")

    def close(self) -> None:
        self._warm.close()


class Chained(Training):
    """A command that goes on where it was killed: after some kills it finishes, and the next begins."""

    chain: ClassVar[int]
    # The file that is written last.
    last_file: ClassVar[str]

    def prepare(self) -> None:
        super().prepare()
        self._out = 0
        self._kills = 0
        self.lasts = self.end(self._begin(self.reference))

    @property
    def reference(self) -> Path:
        """What the undisturbed run left."""
        return self.folder / "reference"

    @property
    def out(self) -> Path:
        """What is killed at present."""
        return self.folder / f"out-{self._out}"

    def _begin(self, out: Path) -> Process:
        raise NotImplementedError

    def start(self, number: int) -> Process:
        return self._begin(self.out)

    def check(self, number: int) -> None:
        if self.out.exists():
            self.check_files(self.out)
        self._kills += 1
        if self._kills == self.chain or (self.out / self.last_file).exists():
            self._complete()

    def finish(self) -> None:
        if self._kills:
            self._complete()

    def _complete(self) -> None:
        """Let it finish, compare it, and go on to the next."""
        self.end(self._begin(self.out))
        self.check_leftovers(self.out)
        self._compare()
        self._out += 1
        self._kills = 0

    def _compare(self) -> None:
        if not (self.out / self.last_file).exists():
            self.found("lost", f"{self.out.name} has not finished")
            return
        for theirs in sorted(self.reference.rglob("predictions.npz")):
            name = theirs.relative_to(self.reference)
            if not _same_arrays(self.out / name, theirs):
                self.found("lost", f"{self.out.name}: other {name}")
        ours, theirs = (json.loads((path / self.last_file).read_text()) for path in (self.out, self.reference))
        if not same(ours, theirs):
            self.found("lost", f"{self.out.name}: other figures")


class Train(Chained):
    name = "train"
    share = 20
    promises: ClassVar[dict[str, str]] = {
        "lost": "the resumed run differs from the undisturbed one, in any bit of its predictions or figures",
        "torn": "a file with its final name that cannot be read, or a run that does not go on",
        "left": "a temporary file after the run has finished",
    }
    chain = 4
    last_file = "metrics.json"

    def _begin(self, out: Path) -> Process:
        again = "--resume" if (out / "config.json").exists() else "--overwrite"
        return self.deseptr("train", DATA, *TINY, "-o", str(out), "--test-subjects", "4", again)


class Crossval(Chained):
    name = "crossval"
    share = 20
    promises: ClassVar[dict[str, str]] = {
        "lost": "a finished fold computed again, or predictions or a summary that differ from the undisturbed ones",
        "torn": "a file with its final name that cannot be read, or a cross-validation that does not go on",
        "left": "a temporary file after the cross-validation has finished",
    }
    chain = 5
    last_file = "crossval.json"

    def _begin(self, out: Path) -> Process:
        words = ["--protocol", "loso", "--folds", "1,2", "--jobs", "1", "--no-int8", "-o", str(out)]
        return self.deseptr("crossval", DATA, *TINY, *words)

    def before(self, number: int) -> None:
        self._finished = {path: path.read_bytes() for path in self.out.glob("fold-*/result.json")}

    def check(self, number: int) -> None:
        for path, content in self._finished.items():
            if not path.exists() or path.read_bytes() != content:
                self.found("lost", f"{path.parent.name} was finished")
        super().check(number)


class Convert(Training):
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

    def start(self, number: int) -> Process:
        words = ["convert", str(self.folder / "run"), "-o", str(self._model), "--agreement", "1", "--loss", "100"]
        return self.deseptr(*words)

    def prepare(self) -> None:
        super().prepare()
        self.end(self.deseptr("train", DATA, *TINY, "-o", str(self.folder / "run"), "--overwrite"))
        self._model.parent.mkdir()
        self.lasts = self.end(self.start(0))
        self._after = self._model.read_bytes()

    def before(self, number: int) -> None:
        # Every second conversion replaces an earlier model, every other makes the first.
        self._model.unlink(missing_ok=True)
        self._before = EARLIER_MODEL.read_bytes() if number % 2 else None
        if self._before:
            self._model.write_bytes(self._before)

    def check(self, number: int) -> None:
        now = self._model.read_bytes() if self._model.exists() else None
        if now not in (self._before, self._after):
            self.found("lost", "neither the old model nor the new one")
        self.check_files(self._model.parent)

    def finish(self) -> None:
        self._model.unlink(missing_ok=True)
        self.end(self.start(0))
        self.check_leftovers(self._model.parent)
        if self._model.read_bytes() != self._after:
            self.found("lost", "another model after the kills than before them")


def same(one: Any, other: Any) -> bool:
    """Whether two trees of JSON are equal but for what differs between runs."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = (set(one) | set(other)) - OF_A_RUN
        return all(same(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _same_arrays(one: Path, other: Path) -> bool:
    if not one.exists():
        return False
    with np.load(one) as ours, np.load(other) as theirs:
        return set(ours) == set(theirs) and all(np.array_equal(ours[name], theirs[name]) for name in ours)
