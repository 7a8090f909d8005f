"""Delay of the label behind the wearer: from each true change to the moment that the label shows it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from .track import NONE, Track, stretches


@dataclass(frozen=True, slots=True)
class Onset:
    """The beginning of a true activity.

    Args:
        frame: of its first sample.
        value: the class.
        duration_s: how long it lasts, s.
        delay_s: from its beginning until the label first shows it, 0 if it did so already; None if it never does.
        at_start: whether the recording begins with it, so that the wearer changed nothing and the delay has the time of
            filling the first window.
    """

    frame: int
    value: int
    duration_s: float
    delay_s: float | None
    at_start: bool


def onsets(track: Track, *, shortest_s: float = 0.0, classes: Collection[int] | None = None) -> list[Onset]:
    """The beginnings of the activities of a track, in order.

    Args:
        track: of a recording.
        shortest_s: activities that last less are left out, s.
        classes: those to consider; all if None.
    """
    found = []
    for start, stop, value in stretches(track.truth):
        duration_s = (stop - start) / track.rate_hz
        if value == NONE or duration_s < shortest_s or (classes is not None and value not in classes):
            continue
        right = np.flatnonzero(track.shown[start:stop] == value)
        delay_s = float(right[0] / track.rate_hz) if len(right) else None
        found.append(Onset(start, value, duration_s, delay_s, start == 0))
    return found
