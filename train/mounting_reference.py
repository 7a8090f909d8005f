"""The mounting of the sensor in the training windows, for the contract.

Some wearers may have worn it another way round than most. So each wearer's turn is found together with the means of the
classes, in turns, as in expectation maximisation with hard assignments (Dempster, Laird and Rubin, 1977): means of all
windows, turned as their wearers wore the sensor; then the turn of each wearer that fits these means best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, MOUNTINGS, ClassMotion, MountingReference
from deseptr.contract.mounting_features import corrected_features, mounting_features, mounting_sensors
from deseptr.data import Windows

_MOST_WINDOWS = 2048
_ROUNDS = 6
# Of a class that is alike in all windows; the features are shares and directions of length 1.
_LEAST_DEVIATION = 0.1
# Mean log-likelihood a window by which another turn must fit a wearer better than that of most.
_CLEAR = 1.0
# Of the wearers: a turn of fewer may be a mistake in the recording.
_LEAST_SHARE = 0.1


def mounting_reference(windows: Windows) -> MountingReference | None:
    """The reference of labelled windows; None without an accelerometer.

    Args:
        windows: of the training subjects.
    """
    if mounting_sensors(windows.channels) is None:
        return None
    labelled = np.flatnonzero(windows.labels >= 0)
    chosen = labelled[np.unique(np.linspace(0, len(labelled) - 1, min(len(labelled), _MOST_WINDOWS)).astype(int))]
    features = corrected_features(mounting_features(windows.own_signals[chosen], windows.channels))
    labels, (names, subjects) = windows.labels[chosen], np.unique(windows.subjects[chosen], return_inverse=True)
    turns = np.zeros(len(names), np.int64)
    for _ in range(_ROUNDS):
        mean, deviation = _statistics(features[turns[subjects], np.arange(len(labels))], labels, windows.label_names)
        found = _best_turns(features, labels, subjects, mean, deviation)
        if (found == turns).all():
            break
        turns = found
    shares = np.bincount(turns, minlength=len(MOUNTINGS)) / len(names)
    worn = tuple(
        (turn.name, round(float(share), 3))
        for turn, share in zip(MOUNTINGS, shares, strict=True)
        if turn == AS_TRAINED or share >= _LEAST_SHARE
    )
    classes = tuple(
        ClassMotion(name, _rounded(mean[index]), _rounded(deviation[index]))
        for index, name in enumerate(windows.label_names)
        if (labels == index).any()
    )
    return MountingReference(classes, worn)


def _statistics(
    features: NDArray[np.float64], labels: NDArray[np.int64], names: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation ``[class, feature]``; 0 and 1 of a class without windows."""
    mean, deviation = np.zeros((len(names), features.shape[1])), np.ones((len(names), features.shape[1]))
    for index in np.unique(labels):
        own = features[labels == index]
        mean[index], deviation[index] = own.mean(0), np.sqrt(own.var(0) + _LEAST_DEVIATION**2)
    return mean, deviation


def _best_turns(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    subjects: NDArray[np.intp],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The turn of each subject, as an index of ``MOUNTINGS``."""
    fits = -0.5 * (((features - mean[labels]) / deviation[labels]) ** 2).sum(2)
    by_subject = np.array([np.bincount(subjects, weights=fit) for fit in fits]) / np.bincount(subjects)
    best = by_subject.argmax(0)
    clear = by_subject.max(0) > by_subject[0] + _CLEAR
    return np.where(clear, best, 0)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)
