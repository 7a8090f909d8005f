"""Whether recordings can be learned from as they are: enough people, and runs that are long enough for the model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deseptr.contract import DataError, ModelError
from deseptr.contract.counts import counted
from deseptr.data import Dataset, Split, subject_split
from deseptr.data.label_oddities import label_runs, workable_window_s

from .config import TrainConfig
from .models.registry import MODELS

_USUAL_RATES_HZ = (10.0, 12.5, 20.0, 25.0, 26.0, 31.25, 40.0, 50.0, 52.0, 64.0, 100.0, 104.0, 125.0, 200.0, 208.0)
_MOST_UPSAMPLED = 4


def check_recordings(
    dataset: Dataset, config: TrainConfig, test_subjects: Sequence[str] | None = None
) -> tuple[Split, float]:
    """The split by subject and the sample rate of the windows, without cutting any.

    Raises:
        DataError: if the split is impossible, or a class of the training subjects, all of whose labels are used, never
            lasts as long as a window.
        ModelError: if the window is too short for the model.
    """
    split = subject_split(dataset, test_subjects=test_subjects, validation=config.validation, seed=config.seed)
    rate = nominal_rate(dataset)
    _check_window(config, rate)
    if not config.labelled_subjects:
        _check_runs(dataset, split.train, config, rate)
    return split, rate


def _shortest_window(config: TrainConfig, rate_hz: float) -> int:
    """Samples of the shortest window that the model takes; it holds a frame of the contract's STFT in any case."""
    return max(MODELS[config.model].shortest_window, config.stft(rate_hz).frame_length)


def _check_window(config: TrainConfig, rate_hz: float) -> None:
    length, shortest = config.window_length(rate_hz), _shortest_window(config, rate_hz)
    if length < shortest:
        raise ModelError(
            f"window of {config.window_s:g} s",
            found=f"{counted(length, 'sample')} at {rate_hz:g} Hz",
            expected=f"at least {shortest} samples for the model {config.model}",
            next_step=f"choose a window of at least {math.ceil(100 * shortest / rate_hz) / 100:.2f} s with --window-s",
        )


def _check_runs(dataset: Dataset, subjects: Sequence[str], config: TrainConfig, rate_hz: float) -> None:
    """Refuse classes that the training subjects recorded, but never for as long as a window, with a way out."""
    runs, length = label_runs(dataset, rate_hz, subjects), config.window_length(rate_hz)
    short = {label: max(found) for label, found in runs.items() if found and round(max(found) * rate_hz) < length}
    if not short:
        return
    drop = f"leave {'it' if len(short) == 1 else 'them'} out with --drop-labels"
    raise DataError(
        f"{dataset.name}: {'class' if len(short) == 1 else 'classes'} {', '.join(short)}",
        found=f"runs of at most {', '.join(f'{run:.2f}' for run in short.values())} s",
        expected=f"a run of a window's {config.window_s:g} s in the training subjects' recordings",
        next_step=f"{_way_out(dataset, subjects, config, rate_hz, tuple(short))}, or {drop}",
    )


def _way_out(
    dataset: Dataset, subjects: Sequence[str], config: TrainConfig, rate_hz: float, short: Sequence[str]
) -> str:
    """A window that takes all classes, at a higher rate if the model needs more samples than it has."""
    for rate in (rate_hz, *(usual for usual in _USUAL_RATES_HZ if rate_hz < usual <= _MOST_UPSAMPLED * rate_hz)):
        runs = label_runs(dataset, rate, subjects)
        window_s = workable_window_s(runs[label] for label in short)
        if round(window_s * rate) >= _shortest_window(config, rate):
            faster = f" --rate {rate:g}" if rate != rate_hz else ""
            return f"take all classes with --window-s {window_s:g}{faster}"
    return "label longer runs, choose a model of shorter windows"


def nominal_rate(dataset: Dataset) -> float:
    """Sample rate at which a dataset is windowed: the median of the recordings, or a common rate within 2 % of it.

    Because of clock errors every recording has a slightly different measured rate; the sensor on the wearable is
    configured to a nominal one.
    """
    median = float(np.median([recording.rate_hz for recording in dataset.recordings]))
    nearest = min(_USUAL_RATES_HZ, key=lambda rate: abs(rate - median))
    return nearest if abs(median - nearest) <= 0.02 * nearest else median
