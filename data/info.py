"""Figures of a dataset: the content of ``deseptr data info``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deseptr.contract import unit_of

from .label_oddities import WINDOW_S, count_windows
from .quality import find_oddities, minutes_table
from .recording import UNLABELLED_NAME, Dataset

_SHORTEST_GAP_S = 1e-3


@dataclass(frozen=True)
class ChannelInfo:
    """Range of one channel over all recordings, in SI units."""

    name: str
    unit: str
    original_unit: str
    minimum: float
    maximum: float
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class Gap:
    """Missing time inside a trial: it ends ``length_s`` after ``at_s`` on the trial's clock."""

    subject: str
    recording: str
    at_s: float
    length_s: float


@dataclass(frozen=True)
class DatasetInfo:
    """Figures of a dataset.

    Args:
        name: the dataset's name.
        recordings: number of recordings.
        samples: number of samples in all recordings.
        minutes: total duration.
        rates_hz: distinct sample rates, ascending.
        labels: class names.
        subjects: subjects in natural order.
        test_subjects: held-out subjects that the source defines.
        subject_label_minutes: minutes by subject and label, including ``unlabelled``.
        channels: range and units of each channel.
        gaps: missing time inside trials.
        oddities: suspected problems, one line each.
        window_s: length of a window, in seconds.
        label_windows: windows of each label, half overlapping.
    """

    name: str
    recordings: int
    samples: int
    minutes: float
    rates_hz: tuple[float, ...]
    labels: tuple[str, ...]
    subjects: tuple[str, ...]
    test_subjects: tuple[str, ...]
    subject_label_minutes: dict[str, dict[str, float]]
    channels: tuple[ChannelInfo, ...]
    gaps: tuple[Gap, ...]
    oddities: tuple[str, ...]
    window_s: float
    label_windows: dict[str, int]

    @property
    def label_minutes(self) -> dict[str, float]:
        """Minutes by label over all subjects, including ``unlabelled``."""
        rows = self.subject_label_minutes.values()
        return {name: sum(row[name] for row in rows) for name in (*self.labels, UNLABELLED_NAME)}

    @property
    def subject_minutes(self) -> dict[str, float]:
        """Minutes by subject, including unlabelled time."""
        return {subject: sum(row.values()) for subject, row in self.subject_label_minutes.items()}

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {**asdict(self), "label_minutes": self.label_minutes, "subject_minutes": self.subject_minutes}


def describe(dataset: Dataset, window_s: float = WINDOW_S) -> DatasetInfo:
    """Compute the figures of a dataset and check it for oddities; windows are ``window_s`` seconds long.

    >>> from deseptr.data import synthetic_dataset
    >>> describe(synthetic_dataset(subjects=2, seconds=4)).subjects
    ('1', '2')
    """
    minutes = minutes_table(dataset)
    columns = (*dataset.label_names, UNLABELLED_NAME)
    return DatasetInfo(
        name=dataset.name,
        recordings=len(dataset.recordings),
        samples=dataset.samples,
        minutes=float(minutes.sum()),
        rates_hz=tuple(sorted({r.rate_hz for r in dataset.recordings})),
        labels=dataset.label_names,
        subjects=dataset.subjects,
        test_subjects=dataset.test_subjects,
        subject_label_minutes={
            subject: dict(zip(columns, row.tolist(), strict=True))
            for subject, row in zip(dataset.subjects, minutes, strict=True)
        },
        channels=tuple(_channels(dataset)),
        gaps=tuple(_gaps(dataset)),
        oddities=find_oddities(dataset, window_s),
        window_s=window_s,
        label_windows=count_windows(dataset, window_s),
    )


def _channels(dataset: Dataset) -> Iterator[ChannelInfo]:
    values = np.concatenate([r.signals for r in dataset.recordings])
    for index, name in enumerate(dataset.channels):
        channel = values[:, index]
        yield ChannelInfo(
            name,
            unit_of(name),
            dataset.original_units[index],
            float(channel.min()),
            float(channel.max()),
            float(channel.mean(dtype=np.float64)),
            float(channel.std(dtype=np.float64)),
        )


def _gaps(dataset: Dataset) -> Iterator[Gap]:
    for before, after in itertools.pairwise(dataset.recordings):
        if (before.subject, before.name) != (after.subject, after.name):
            continue
        end = before.start_s + before.duration_s
        length = after.start_s - end
        if length > _SHORTEST_GAP_S:
            yield Gap(before.subject, before.name, end, length)
