"""How the sensor of labelled recordings is turned, from some seconds of each activity.

A window is compared with the reference of its own class alone. The windows of one take say nearly the same, so that of
each class only so many count, and one class alone is never enough: a wearer may sit in a way that looks turned. Two
recordings that speak for another turn are enough for a sensor that was not mounted alike in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, MOUNTINGS, DataError, ModelContract, Mounting
from deseptr.contract.counts import counted
from deseptr.contract.mounting_features import corrected_features, mounting_features
from deseptr.data import Dataset, Windows, cut_for_model

from .likelihoods import FoundMounting, TurnLikelihoods
from .watch import AUTO, require_reference

COUNTED_OF_A_CLASS = 6
"""Of each class, so many windows count."""
CLEAR_LEAD = 30.0
"""Natural logarithm of the likelihood ratio to the next best turn from which on a turn is known."""
LEAST_CLASSES = 2
LEAST_AGAINST = 2
"""So many recordings that contradict a turn, each as clearly as one is known, leave it open; a single one may do so by
the wearer's posture alone."""
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class RecordedMounting:
    """The turn by which recordings are to be turned back.

    Args:
        turn: the turn.
        meaning: what is known of it, a sentence; empty if there is nothing to say.
    """

    turn: Mounting
    meaning: str = ""


def recorded_mounting(dataset: Dataset, contract: ModelContract, mounting: Mounting | str | None) -> RecordedMounting:
    """Decide on the turn of the sensor of labelled recordings.

    Args:
        dataset: recordings of one wearer, as measured.
        contract: the model's.
        mounting: the turn, or its name; ``auto`` to estimate it; None to take the recordings as they are, and to say so
            if they are clearly those of a turned sensor.

    Raises:
        DataError: if the turn is to be estimated and is not clear, or the recordings have no windows for the model.
        SetupError: if there is no such turn, or the model has no reference for ``auto``.
    """
    if mounting is None:
        found = None if contract.mounting is None else estimate_mounting(dataset, contract)
        turn = AS_TRAINED if found is None or not found.clear else found.turns[0]
        if turn == AS_TRAINED:
            return RecordedMounting(AS_TRAINED)
        return RecordedMounting(
            AS_TRAINED, f"the sensor seems {found}; if so, --undo this and repeat it with --mounting {turn.name}"
        )
    if mounting != AUTO:
        turn = Mounting.named(mounting) if isinstance(mounting, str) else mounting
        return RecordedMounting(turn, "" if turn == AS_TRAINED else f"samples of a sensor {turn} are turned back")
    found = estimate_mounting(dataset, contract)
    if not found.clear:
        raise DataError(
            dataset.name,
            found=f"{counted(found.windows, 'window that leaves', 'windows that leave')} open how the sensor is turned",
            expected="some seconds each of several activities, such as walking, sitting and standing, "
            "by a sensor that is mounted alike in all of them",
            next_step="record more of them, or name the turn, as --mounting x90 (none for as in training)",
        )
    turn = found.turns[0]
    if turn == AS_TRAINED:
        return RecordedMounting(turn, "the sensor seems mounted as in training")
    return RecordedMounting(turn, f"the sensor seems {found}; samples are turned back by {turn.name}")


def estimate_mounting(dataset: Dataset, contract: ModelContract) -> FoundMounting:
    """Estimate how the sensor of labelled recordings is turned; classes that the reference lacks are left out.

    Args:
        dataset: the recordings, as measured.
        contract: the model's.

    Raises:
        DataError: if the recordings lack a channel of the model, or have no window.
        SetupError: if the model has no reference.
    """
    reference = require_reference(contract)
    classes, likelihoods = [each.label for each in reference.classes], TurnLikelihoods(reference)
    windows = _apart(cut_for_model(dataset, contract))
    names = np.array(windows.label_names)[windows.labels]
    scores, counts = np.zeros(len(MOUNTINGS)), []
    takes = {number: np.zeros(len(MOUNTINGS)) for number in np.unique(windows.recording).tolist()}
    for number, label in enumerate(classes):
        own = _some(np.flatnonzero(names == label))
        if len(own):
            features = corrected_features(mounting_features(windows.own_signals[own], contract.channels))
            by_window = likelihoods.by_class(features)[..., number]
            scores += _counted(by_window)
            for take in np.unique(windows.recording[own]).tolist():
                takes[take] += _counted(by_window[:, windows.recording[own] == take])
            counts.append(len(own))
    turns, lead = likelihoods.best(scores)
    against = sum(likelihoods.against(each, scores) > CLEAR_LEAD for each in takes.values())
    clear = lead > CLEAR_LEAD and len(counts) >= LEAST_CLASSES and against < LEAST_AGAINST
    return FoundMounting(turns, lead, sum(counts), clear=clear)


def _counted(by_window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihoods ``[turn]`` of windows of one class, ``[turn, window]``."""
    total: NDArray[np.float64] = by_window.mean(1) * min(by_window.shape[1], COUNTED_OF_A_CLASS)
    return total


def _apart(windows: Windows) -> Windows:
    """Labelled windows that share no sample."""
    kept: NDArray[np.bool_] = np.zeros(len(windows), np.bool_)
    length, recording, free = windows.own_signals.shape[1], -1, 0
    for place, (of, start) in enumerate(zip(windows.recording.tolist(), windows.start.tolist(), strict=True)):
        if of != recording:
            recording, free = of, 0
        if windows.labels[place] >= 0 and start >= free:
            kept[place], free = True, start + length
    return windows.take(kept)


def _some(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most so many of a class's windows as are looked at, evenly spread."""
    count = min(len(places), _LOOKED_AT)
    return places[np.linspace(0, len(places) - 1, count).round().astype(np.intp)]
