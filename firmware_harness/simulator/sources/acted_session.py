"""A simulated wearer who follows the steps of a recording session, to try recording without a sensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.data import UNLABELLED, Dataset, Recording, resample
from deseptr.device.recorder import SessionStep

# The recorder polls, so its steps begin a little later than the wearer's.
_TAIL_S = 2.0


def act(dataset: Dataset, steps: Sequence[SessionStep], subject: str) -> Recording:
    """Signals of a sensor during a session: each activity repeats recordings of its label; otherwise the wearer rests.

    Args:
        dataset: recordings of the activities; an activity that it does not have is replaced by its first recording.
        steps: the session's steps, as from :func:`deseptr.device.recorder.settled`. An activity without end lasts as
            long as its recordings.
        subject: the subject of the recordings, if the dataset has it; otherwise its first subject.

    Returns:
        One recording without labels, at the rate of the dataset's first.

    >>> from deseptr.data import load_dataset
    >>> from deseptr.device.recorder import Activity, session_steps
    >>> steps = session_steps((Activity("walking", seconds=10, prepare_s=3),))
    >>> act(load_dataset("synthetic:subjects=1,seconds=10"), steps, "1").duration_s
    15.0
    """
    dataset = dataset.select(subjects=[subject if subject in dataset.subjects else dataset.subjects[0]])
    rate_hz = dataset.recordings[0].rate_hz
    pieces: list[NDArray[np.float32]] = []
    for position, step in enumerate(steps):
        if step.kind == "activity":
            pieces.append(_repeated(_excerpt(dataset, step.label, rate_hz), step.seconds * rate_hz))
        else:
            following = next((later.label for later in steps[position:] if later.kind == "activity"), step.label)
            pieces.append(_repeated(_excerpt(dataset, following, rate_hz)[:1], step.seconds * rate_hz))
    pieces.append(_repeated(pieces[-1][-1:], _TAIL_S * rate_hz))
    signals = np.concatenate(pieces)
    return Recording(signals, rate_hz, "wearer", np.full(len(signals), UNLABELLED, np.int16), channels=dataset.channels)


def _excerpt(dataset: Dataset, label: str, rate_hz: float) -> NDArray[np.float32]:
    wanted = dataset.label_names.index(label) if label in dataset.label_names else None
    recordings = [resample(r, rate_hz) for r in dataset.recordings if (r.labels == wanted).any()]
    if not recordings:
        return dataset.recordings[0].signals
    return np.concatenate([recording.signals[recording.labels == wanted] for recording in recordings])


def _repeated(signals: NDArray[np.float32], count: float) -> NDArray[np.float32]:
    if math.isinf(count):
        return signals
    return np.resize(signals, (max(1, round(count)), signals.shape[1]))
