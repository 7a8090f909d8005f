"""How often the label changes, and how often without cause."""

from __future__ import annotations

from dataclasses import dataclass

from .track import NONE, Stretch, Track, stretches


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """Numbers of changes in one or more tracks.

    Args:
        true: beginnings of labelled activities, but for one that begins with its recording.
        shown: changes of the label after the first one, to and from ``unknown`` included.
        spurious: those of them that begin a label which is the first to show no true activity: wrong, or the right
            label once more after a wrong one. What is shown in unlabelled parts alone is neither right nor wrong.
    """

    true: int
    shown: int
    spurious: int

    def __add__(self, other: LabelChanges) -> LabelChanges:
        return LabelChanges(self.true + other.true, self.shown + other.shown, self.spurious + other.spurious)


def label_changes(track: Track) -> LabelChanges:
    """Count the changes of a track.

    >>> import numpy as np
    >>> flicker = Track("ada", np.zeros(30, int), np.repeat([0, 1, 0], 10), rate_hz=50.0)
    >>> label_changes(flicker)
    LabelChanges(true=0, shown=2, spurious=2)
    """
    activities = list(stretches(track.truth))
    # Before the first label there is nothing that could change.
    labels = [each for index, each in enumerate(stretches(track.shown)) if index or each.value != NONE]
    first = _first_to_show(activities, labels)
    wrong = [index for index in range(1, len(labels)) if index not in first and not _undecidable(track, labels[index])]
    true = sum(each.value != NONE and each.start > 0 for each in activities)
    return LabelChanges(true, max(len(labels) - 1, 0), len(wrong))


def _first_to_show(activities: list[Stretch], labels: list[Stretch]) -> set[int]:
    """Indices of the labels that are the first to show an activity; one that begins early may show several."""
    first: set[int] = set()
    begin = 0
    for activity in activities:
        while begin < len(labels) and labels[begin].stop <= activity.start:
            begin += 1
        for index in range(begin, len(labels)):
            if labels[index].start >= activity.stop:
                break
            if labels[index].value == activity.value != NONE:
                first.add(index)
                break
    return first


def _undecidable(track: Track, label: Stretch) -> bool:
    return bool((track.truth[label.start : label.stop] == NONE).all())
