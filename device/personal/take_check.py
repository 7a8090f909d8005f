"""Whether a take is worth learning from, told as soon as it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deseptr.contract import AS_TRAINED, DataError, Mounting
from deseptr.contract.counts import counted
from deseptr.data import Dataset, cut_for_model, load_dataset
from deseptr.device.mounting.recordings import turned_back
from deseptr.device.plausibility import FINDINGS
from deseptr.device.plausibility.judge import Plausibility
from deseptr.device.stream.windows import Window
from deseptr.tflite import predict
from deseptr.tflite.engine import Engine


@dataclass(frozen=True)
class TakeCheck:
    """A take as the model sees it.

    Args:
        label: the activity.
        windows: number of its windows.
        finding: why no worn sensor measures such samples, one of :data:`deseptr.device.plausibility.FINDINGS`; None if
            nothing was found.
        seen: the class that most windows have without a correction; None without windows.
        share: of these windows.
    """

    label: str
    windows: int
    finding: str | None
    seen: str | None
    share: float

    @property
    def usable(self) -> bool:
        """Whether it has windows, and they are plausible."""
        return self.windows > 0 and self.finding is None

    def __str__(self) -> str:
        if not self.windows:
            return f"{self.label}: too short for a window, left out"
        if self.finding is not None:
            return f"{self.label}: {self.finding}, {FINDINGS[self.finding]}; left out"
        windows = counted(self.windows, "window")
        return f"{self.label}: good, {windows}, which the model calls {self.seen} ({self.share:.0%})"


def check_take(engine: Engine, path: Path, mounting: Mounting = AS_TRAINED, acc_count: float = 0.0) -> TakeCheck:
    """Check the file of a take.

    Args:
        engine: the model.
        path: file of the recorder.
        mounting: how the sensor is turned; the model sees the samples turned back.
        acc_count: acceleration of one count of the sensor in m/s^2; 0 if it is not known.

    Raises:
        SetupError: if a sensor of the take has not all three axes, so that it cannot be turned back.
    """
    contract = engine.contract
    dataset = turned_back(load_dataset(path), mounting)
    label = dataset.label_names[0]
    try:
        windows = cut_for_model(dataset, contract)
    except DataError:
        return TakeCheck(label, 0, None, None, 0.0)
    judge = Plausibility.of(contract)
    judge.measured_in(acc_count)
    found = None
    for number, (start, signals) in enumerate(zip(windows.start.tolist(), windows.signals, strict=True)):
        if number and windows.recording[number] != windows.recording[number - 1]:
            judge.reset()
        found = found or judge.judge(Window(start, signals, contract.history, int(windows.recording[number])))
    counts = np.bincount(predict(engine, windows.signals).argmax(axis=1), minlength=len(contract.labels))
    most = int(counts.argmax())
    return TakeCheck(label, len(windows), found, contract.labels[most], float(counts[most] / counts.sum()))


def taken(paths: Sequence[Path]) -> Dataset:
    """The recordings of takes, as measured.

    Args:
        paths: files of the recorder.

    Raises:
        DataError: if there is none.
    """
    if not paths:
        raise DataError(
            "the session",
            found="no activity that could be used",
            expected="at least one",
            next_step="see `deseptr device doctor`, then record again",
        )
    read = [load_dataset(path) for path in paths]
    names = tuple(dict.fromkeys(name for each in read for name in each.label_names))
    recordings = []
    for each in read:
        table = np.array([*(names.index(name) for name in each.label_names), -1], np.int16)
        recordings += [replace(recording, labels=table[recording.labels]) for recording in each.recordings]
    return Dataset(tuple(recordings), names, "the session")
