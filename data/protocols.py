"""Cross-validation protocols: test subjects of each fold and window settings. All of them split by subject."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deseptr.contract import DataError

from .recording import Dataset, check_known
from .splits import arena_folds, check_disjoint, subject_split

ARENA_FOLDS = 10
PROTOCOLS = ("arena", "loso", "official")
_WINDOWS_S = {"arena": 3.0, "loso": 2.56, "official": 2.56}
_OVERLAP = 0.5


@dataclass(frozen=True)
class Fold:
    """One fold: ``test_subjects`` are tested, all others are used for training."""

    name: str
    test_subjects: tuple[str, ...]


@dataclass(frozen=True)
class FoldProtocol:
    """Folds of a dataset's subjects and the windows to cut.

    Args:
        name: ``"arena"``, ``"loso"`` or ``"official"``.
        folds: the folds.
        window_s: length of a window, s.
        overlap: fraction of a window that the next one repeats.
        labels: the classes, in the order of the model's outputs.

    Raises:
        DataError: if a fold has no test subject, or if two folds test the same subject.
    """

    name: str
    folds: tuple[Fold, ...]
    window_s: float
    overlap: float
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        check_disjoint(*(fold.test_subjects for fold in self.folds))
        for fold in self.folds:
            if not fold.test_subjects:
                raise DataError(
                    f"{self.name}: fold {fold.name}",
                    found="no test subject",
                    expected="at least one",
                    next_step="choose another protocol",
                )

    def choose(self, names: Sequence[str]) -> tuple[Fold, ...]:
        """The folds with these names, in the protocol's order.

        Raises:
            DataError: if there is no such fold.
        """
        check_known("fold", names, [fold.name for fold in self.folds], f"protocol {self.name}")
        return tuple(fold for fold in self.folds if fold.name in names)

    def to_dict(self) -> dict[str, Any]:
        """The protocol as plain JSON values."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return content


def make_protocol(
    name: str,
    dataset: Dataset,
    *,
    labels: Sequence[str] | None = None,
    window_s: float | None = None,
    overlap: float | None = None,
) -> FoldProtocol:
    """Create a protocol for a dataset by name.

    ``arena`` is that of the published comparison of TinierHAR and its rivals: windows of 3 s, half overlapping,
    subjects sorted, fold = index % 10. ``loso`` leaves one subject out at a time. ``official`` has one fold, which
    tests the dataset's own test subjects on windows of 2.56 s, half overlapping, as UCI-HAR and HAPT do.

    Args:
        name: one of ``PROTOCOLS``.
        dataset: the recordings.
        labels: classes to keep; by default all.
        window_s: another window length; figures of a published protocol are comparable only at its own length.
        overlap: another overlap.

    Raises:
        DataError: if the name or a label is unknown, there are too few subjects, or ``official`` is chosen for a
            dataset without test subjects.

    >>> from deseptr.data import synthetic_dataset
    >>> [fold.name for fold in make_protocol("loso", synthetic_dataset(subjects=3, seconds=4)).folds]
    ['1', '2', '3']
    """
    makers = {"arena": _arena, "loso": _loso, "official": _official}
    if name not in makers:
        raise _unknown(name)
    if labels is not None:
        dataset = dataset.select(labels=labels)
    return FoldProtocol(
        name,
        makers[name](dataset),
        _WINDOWS_S[name] if window_s is None else window_s,
        _OVERLAP if overlap is None else overlap,
        dataset.label_names,
    )


def parse_labels(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Labels from a list such as ``walking,sitting`` or ``1-6``; numbers as printed by ``deseptr data info``.

    Raises:
        DataError: if an entry is neither a label nor the number of one.

    >>> parse_labels("2-3", ("still", "walking", "running"))
    ('walking', 'running')
    """
    chosen: list[str] = []
    for entry in (part.strip() for part in text.split(",")):
        found = [entry] if entry in names else _numbered(entry, names)
        if not found:
            raise DataError(
                f"labels {text!r}",
                found=f"the entry {entry!r}",
                expected=f"some of {', '.join(names)}, or numbers from 1 to {len(names)}",
                next_step="choose from these",
            )
        chosen.extend(found)
    return tuple(dict.fromkeys(chosen))


def _numbered(entry: str, names: Sequence[str]) -> list[str]:
    bounds = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", entry)
    first, last = (int(bounds[1]), int(bounds[2] or bounds[1])) if bounds else (0, 0)
    return list(names[first - 1 : last]) if 1 <= first <= last <= len(names) else []


def _arena(dataset: Dataset) -> tuple[Fold, ...]:
    _check_count(dataset)
    parts = arena_folds(dataset.subjects, min(ARENA_FOLDS, len(dataset.subjects)))
    return tuple(Fold(str(index), part) for index, part in enumerate(parts))


def _loso(dataset: Dataset) -> tuple[Fold, ...]:
    _check_count(dataset)
    return tuple(Fold(subject, (subject,)) for subject in dataset.subjects)


def _official(dataset: Dataset) -> tuple[Fold, ...]:
    if not dataset.test_subjects:
        raise DataError(
            f"{dataset.name}: test subjects",
            found="none of the dataset's own",
            expected="a dataset that defines them, as HAPT does",
            next_step="choose --protocol arena or loso",
        )
    return (Fold("test", subject_split(dataset).test),)


def _check_count(dataset: Dataset) -> None:
    """Raise a DataError unless there are enough subjects for training, validation and test."""
    subject_split(dataset, test_subjects=dataset.subjects[:1])


def _unknown(name: str) -> DataError:
    by_window = any(word in name.lower() for word in ("random", "window", "fold", "shuffle"))
    return DataError(
        f"protocol {name}",
        found="a split by window, which tests on wearers that were trained on" if by_window else "no such protocol",
        expected=", ".join(PROTOCOLS),
        next_step="choose one of these, which split by subject",
    )
