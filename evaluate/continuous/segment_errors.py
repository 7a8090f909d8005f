"""Kinds of errors along time: insertion, deletion, fragmentation, merge, overfill and underfill.

After Ward, Lukowicz and Gellersen, Performance metrics for activity recognition, ACM TIST 2 (1), 2011, sections 3
and 4 (2SET). For each class, a stretch in which neither truth nor label begins or ceases to be of the class is of one
kind. A false positive is an insertion, a merge of two true stretches, or fills over before or after one; a false
negative is a deletion, a fragmentation, or fills too little at the start or the end. What decides is whether the
stretches beside it are true positives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .track import NONE, Track

MISSES = ("deletion", "fragmentation", "start_underfill", "end_underfill")
FALSE = ("insertion", "merge", "start_overfill", "end_overfill")
KINDS = ("true_positive", "true_negative", *MISSES, *FALSE)
# Neither stretch beside it is a true positive, the one after it alone, the one before it alone, both.
_MISS = np.array([KINDS.index(kind) for kind in ("deletion", "start_underfill", "end_underfill", "fragmentation")])
_FALSE = np.array([KINDS.index(kind) for kind in ("insertion", "start_overfill", "end_overfill", "merge")])


@dataclass(frozen=True, eq=False)
class SegmentErrors:
    """Frames and stretches of each kind, of one or more tracks.

    Args:
        frames: int64 ``[class, kind]``, kinds as in :data:`KINDS`; a row's sum is the number of labelled frames.
        stretches: int64 ``[class, kind]``, the number of stretches.
        unlabelled: frames without a true class; these are left out, as if the recording went on after them.
        unshown: labelled frames without a shown label.
    """

    frames: NDArray[np.int64]
    stretches: NDArray[np.int64]
    unlabelled: int
    unshown: int

    def __add__(self, other: SegmentErrors) -> SegmentErrors:
        return SegmentErrors(
            self.frames + other.frames,
            self.stretches + other.stretches,
            self.unlabelled + other.unlabelled,
            self.unshown + other.unshown,
        )

    def by_truth(self) -> dict[str, int]:
        """Each frame once, by what became of its true class: ``correct``, a kind of miss, or ``unlabelled``."""
        return {"correct": self._sum("true_positive"), **_named(self._sum, MISSES), "unlabelled": self.unlabelled}

    def by_label(self) -> dict[str, int]:
        """Each frame once, by what its label was: ``correct``, a kind of false one, ``unshown`` or ``unlabelled``."""
        return {
            "correct": self._sum("true_positive"),
            **_named(self._sum, FALSE),
            "unshown": self.unshown,
            "unlabelled": self.unlabelled,
        }

    def counts(self) -> dict[str, int]:
        """Number of stretches of each kind of error, all classes together."""
        return _named(lambda kind: int(self.stretches[:, KINDS.index(kind)].sum()), MISSES + FALSE)

    def _sum(self, kind: str) -> int:
        return int(self.frames[:, KINDS.index(kind)].sum())


def segment_errors(track: Track, classes: int) -> SegmentErrors:
    """The kinds of errors of a track.

    >>> from deseptr.evaluate.continuous.track import Track
    >>> late = Track("ada", np.repeat([0, 1], 10), np.repeat([0, 1], [13, 7]), 50.0)
    >>> segment_errors(late, classes=2).by_truth()["start_underfill"]
    3

    Args:
        track: of a recording; classes are numbered from 0.
        classes: their number.
    """
    labelled = track.truth != NONE
    truth, shown = track.truth[labelled], track.shown[labelled]
    frames, counts = np.zeros((classes, len(KINDS)), np.int64), np.zeros((classes, len(KINDS)), np.int64)
    for each in range(classes):
        kinds, lengths = _kinds(truth == each, shown == each)
        np.add.at(frames[each], kinds, lengths)
        np.add.at(counts[each], kinds, 1)
    return SegmentErrors(frames, counts, int((~labelled).sum()), int((shown == NONE).sum()))


def _kinds(true: NDArray[np.bool_], shown: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Kind and length of each stretch of one class."""
    borders = np.flatnonzero((true[1:] != true[:-1]) | (shown[1:] != shown[:-1])) + 1
    starts = np.concatenate(([0], borders)) if len(true) else borders
    lengths = np.diff(np.append(starts, len(true)))
    true, shown = true[starts], shown[starts]
    hit = np.concatenate(([False], true & shown, [False]))
    beside = 2 * hit[:-2] + hit[2:]
    kinds = np.where(true, np.where(shown, 0, _MISS[beside]), np.where(shown, _FALSE[beside], 1))
    return kinds, lengths


def _named(value: Callable[[str], int], kinds: tuple[str, ...]) -> dict[str, int]:
    return {kind: value(kind) for kind in kinds}
