"""The moments at which a label was wrong for longest, to look at why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .track import NONE, Track, stretches


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch in which the label was wrong.

    Args:
        track: index of the track.
        start: its first frame.
        stop: the frame after its last.
        truth: the class that held for most of it.
        shown: the label that was shown for most of it, ``NONE`` for ``unknown``.
    """

    track: int
    start: int
    stop: int
    truth: int
    shown: int


def worst_moments(tracks: Sequence[Track], count: int = 10) -> list[Moment]:
    """The longest wrong stretches, the longest first; the time before a recording's first label is none of them."""
    found = []
    for index, track in enumerate(tracks):
        known = np.flatnonzero(track.shown != NONE)
        begin = int(known[0]) if len(known) else len(track)
        wrong = (track.truth != NONE) & (track.shown != track.truth)
        wrong[:begin] = False
        found += [
            (each.stop - each.start, Moment(index, each.start, each.stop, *_mostly(track, each.start, each.stop)))
            for each in stretches(wrong.astype(int))
            if each.value
        ]
    longest = sorted(found, key=lambda each: (-each[0] / tracks[each[1].track].rate_hz, each[1].track, each[1].start))
    return [moment for _, moment in longest[:count]]


def _mostly(track: Track, start: int, stop: int) -> tuple[int, int]:
    """The commonest class of a stretch, and its commonest label while that class held."""
    truth = track.truth[start:stop]
    values, counts = np.unique(truth, return_counts=True)
    held = int(values[counts.argmax()])
    labels, counts = np.unique(track.shown[start:stop][truth == held], return_counts=True)
    return held, int(labels[counts.argmax()])
