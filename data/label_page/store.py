"""Where labels are kept: the labelled file, and beside it, until they are saved there, the unsaved ones.

The recordings that were opened are never written to, unless the output is named to be the same file.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import DataError, SetupError, atomic_write, check_replaceable, read_json
from deseptr.data.outputs import check_output, save_dataset
from deseptr.data.recording import Dataset
from deseptr.data.sources import load_dataset

from .labelling import Labelling

_MARK = ".labelled"
# Beside a file of 20 MiB of labels a page sends: names, and the recordings' properties.
LARGEST_UNSAVED = 1 << 25
_UNSAVED_START = '{"deseptr_unsaved_labels": 1'
# m/s² and rad/s, more than a file of int16 rounds a mean by.
_SAME = 0.02


@dataclass(frozen=True)
class Saved:
    """What the labelled file holds.

    Args:
        at: local time at which it was written.
        segments: number of labelled segments.
        unlabelled_s: seconds without a label.
    """

    at: str
    segments: int
    unlabelled_s: float


class ChangedElsewhereError(DataError):
    """The labelled file, or the labels in it, were changed by somebody else since they were read."""


def labelled_path(source: str | Path) -> Path:
    """The usual output for recordings: ``walk.labelled.npz`` beside ``walk.csv``; of such a file itself the same file.

    >>> labelled_path("recordings/walk.csv").name, labelled_path("walk.labelled.npz").name
    ('walk.labelled.npz', 'walk.labelled.npz')
    """
    path = Path(source)
    path = path.resolve() if path.name in ("", "..") else path
    name = path.name if path.is_dir() else path.stem
    return path.parent / (path.name if name.endswith(_MARK) else f"{name}{_MARK}.npz")


class LabelStore:
    """The labels of one source of recordings, in one labelled file.

    If the file exists already, its labels are gone on with; it must then hold the same recordings.

    Args:
        dataset: the recordings.
        out: the labelled file, ``.npz`` or ``.csv``.

    Raises:
        DataError: if ``out`` has another suffix, or holds other recordings; the same for unsaved labels.
        SetupError: if ``out`` exists and is something else.
    """

    def __init__(self, dataset: Dataset, out: str | Path) -> None:
        check_output(out)
        self.dataset, self.out = dataset, Path(out)
        self.unsaved_path = self.out.with_name(f"{self.out.name}.unsaved.json")
        self._check_unsaved()
        self._seen, self._unsaved_seen = _signature(self.out), _signature(self.unsaved_path)
        # An empty file is one that another program has reserved.
        self.continues = self._seen is not None and self._seen[1] > 0
        self.labelling = Labelling.of(self._earlier() if self.continues else dataset)
        self.unsaved = self._read_unsaved()

    @property
    def lengths(self) -> tuple[int, ...]:
        """Samples of each recording."""
        return tuple(map(len, self.dataset.recordings))

    @property
    def saved(self) -> Saved | None:
        """What the labelled file holds; None while there is none."""
        if self._seen is None:
            return None
        when = time.localtime(self._seen[0] / 1e9)
        today = time.strftime("%Y-%m-%d", when) == time.strftime("%Y-%m-%d")
        rates = (recording.rate_hz for recording in self.dataset.recordings)
        unlabelled = sum(n / rate for n, rate in zip(self.labelling.unlabelled(self.lengths), rates, strict=True))
        return Saved(
            time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", when), self.labelling.runs(), float(unlabelled)
        )

    def save(self, labelling: Labelling) -> None:
        """Write the labelled file, whole or not at all, and remove the unsaved labels.

        Raises:
            ChangedElsewhereError: if another program has written the file since it was read.
            SetupError: if it cannot be written.
        """
        _check_unchanged(self.out, self._seen)
        check_output(self.out)
        save_dataset(labelling.apply(self.dataset), self.out)
        self._seen, self.labelling = _signature(self.out), labelling
        self.forget()

    def keep(self, labelling: Labelling) -> None:
        """Write unsaved labels beside the labelled file.

        Raises:
            ChangedElsewhereError: if another program has written them since they were read.
            SetupError: if they cannot be written.
        """
        self._check_unsaved()
        _check_unchanged(self.unsaved_path, self._unsaved_seen)
        content = {"deseptr_unsaved_labels": 1, "recordings": _properties(self.dataset), **labelling.to_json()}
        atomic_write(self.unsaved_path, json.dumps(content))
        self._unsaved_seen, self.unsaved = _signature(self.unsaved_path), labelling

    def forget(self) -> None:
        """Remove the unsaved labels.

        Raises:
            ChangedElsewhereError: if another program has written them since they were read.
            SetupError: if they cannot be removed.
        """
        self._check_unsaved()
        _check_unchanged(self.unsaved_path, self._unsaved_seen)
        try:
            self.unsaved_path.unlink(missing_ok=True)
        except OSError as error:
            raise SetupError(
                self.unsaved_path, found=error.strerror, expected="a writable folder", next_step="remove it by hand"
            ) from error
        self._unsaved_seen = self.unsaved = None

    def _earlier(self) -> Dataset:
        earlier = load_dataset(self.out)
        if not _alike(_properties(earlier), _properties(self.dataset)):
            raise DataError(
                self.out,
                found="other recordings",
                expected=f"those of {self.dataset.name}, to go on with their labels",
                next_step="choose another -o",
            )
        return earlier

    def _read_unsaved(self) -> Labelling | None:
        path = self.unsaved_path
        if not path.exists():
            return None
        try:
            content = read_json(path, LARGEST_UNSAVED)
            labelling = Labelling.from_json(content, self.lengths)
            same = _alike(content.get("recordings"), _properties(self.dataset))
        except (OSError, ValueError, DataError) as error:
            found = error.found if isinstance(error, DataError) else error
            raise self._foreign_unsaved(f"labels that cannot be read ({found})") from error
        if not same:
            raise self._foreign_unsaved("unsaved labels of other recordings")
        return labelling

    def _foreign_unsaved(self, found: str) -> DataError:
        return DataError(
            self.unsaved_path,
            found=found,
            expected=f"those of {self.dataset.name}, or no file",
            next_step="remove it, or choose another -o",
        )

    def _check_unsaved(self) -> None:
        check_replaceable(self.unsaved_path, _UNSAVED_START.encode(), "unsaved labels", "-o")


def _check_unchanged(path: Path, seen: tuple[int, int, int] | None) -> None:
    if _signature(path) != seen:
        raise ChangedElsewhereError(
            path,
            found="a file that another program has written since",
            expected="the one that was read",
            next_step="move it away and save again, or start the command again",
        )


def _signature(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _properties(dataset: Dataset) -> list[list[Any]]:
    """What tells recordings apart and survives being written: names, length, mean and deviation of each channel."""
    return [
        [
            recording.subject,
            recording.name,
            len(recording),
            [*recording.signals.mean(0, np.float64).tolist(), *recording.signals.std(0, np.float64).tolist()],
        ]
        for recording in dataset.recordings
    ]


def _alike(found: Any, wanted: list[list[Any]]) -> bool:
    if not isinstance(found, list) or len(found) != len(wanted):
        return False
    for one, other in zip(found, wanted, strict=True):
        if not isinstance(one, list) or len(one) != len(other) or one[:3] != other[:3]:
            return False
        try:
            if not np.allclose(one[3], other[3], rtol=1e-3, atol=_SAME):
                return False
        except (TypeError, ValueError, OverflowError):
            return False
    return True
