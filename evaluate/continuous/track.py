"""The true class and the shown label of every sample of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

NONE = -1
"""In a track's truth: unlabelled. In what it shows: no label yet, or ``unknown``."""


class Stretch(NamedTuple):
    """A stretch of equal values, from ``start`` (included) to ``stop`` (excluded)."""

    start: int
    stop: int
    value: int


@dataclass(frozen=True, eq=False)
class Track:
    """A recording as its wearer and its display had it.

    Args:
        subject: the wearer.
        truth: int ``[frame]``, the true class of each sample, ``NONE`` where it is unlabelled.
        shown: int ``[frame]``, the label that is shown from this sample on, ``NONE`` before the first one and while it
            is ``unknown``.
        rate_hz: frames a second.

    Raises:
        DataError: if the two differ in length.
    """

    subject: str
    truth: NDArray[np.integer[Any]]
    shown: NDArray[np.integer[Any]]
    rate_hz: float

    def __post_init__(self) -> None:
        if self.truth.shape != self.shown.shape or self.truth.ndim != 1:
            raise DataError(
                f"track of subject {self.subject}",
                found=f"truth of shape {self.truth.shape}, labels of {self.shown.shape}",
                expected="[frame] both",
                next_step="pass a label for each sample",
            )

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def hours(self) -> float:
        """Duration in hours."""
        return len(self) / self.rate_hz / 3600

    def cut(self, frame: int) -> tuple[Track, Track]:
        """The frames before ``frame``, and those from it on."""
        first, second = slice(None, frame), slice(frame, None)
        return (
            Track(self.subject, self.truth[first], self.shown[first], self.rate_hz),
            Track(self.subject, self.truth[second], self.shown[second], self.rate_hz),
        )


def stretches(values: NDArray[np.integer[Any]]) -> Iterator[Stretch]:
    """The stretches of equal values, in order.

    >>> [tuple(each) for each in stretches(np.array([3, 3, 5]))]
    [(0, 2, 3), (2, 3, 5)]
    """
    borders = np.flatnonzero(np.diff(values)) + 1
    starts = np.concatenate(([0], borders)) if len(values) else borders
    for start, stop in zip(starts, np.append(borders, len(values)), strict=False):
        yield Stretch(int(start), int(stop), int(values[start]))
