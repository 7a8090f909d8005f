"""Changing the sample rate of a recording by band-limited interpolation, with numpy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

from .recording import Dataset, Recording

_ZERO_CROSSINGS = 16
_KAISER_BETA = 8.0
_CHUNK = 4096
_SAME_RATE = 1e-6


def resample(recording: Recording, rate_hz: float) -> Recording:
    """The recording at another sample rate.

    Each output sample is a Kaiser-windowed sinc interpolation of its neighbours (J. O. Smith, "Digital Audio
    Resampling", CCRMA: 16 zero crossings per side, beta 8). For a lower rate the cut-off is lowered accordingly to
    prevent aliasing. Beyond the ends the signal is held. The output covers the same time span; each label is that of
    the nearest sample.

    Args:
        recording: any recording.
        rate_hz: the new rate; within a millionth of the recording's rate, the recording is returned unchanged.

    Raises:
        DataError: if the rate is not a positive number.

    >>> from deseptr.data import synthetic_day
    >>> resample(synthetic_day(seconds=2.0), 25.0).rate_hz
    25.0
    """
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise DataError("rate_hz", found=rate_hz, expected="a positive rate in Hz", next_step="choose a rate, as 50")
    if abs(rate_hz / recording.rate_hz - 1) < _SAME_RATE or not len(recording):
        return recording
    ratio = rate_hz / recording.rate_hz
    count = int(np.floor((len(recording) - 1) * ratio + 1e-9)) + 1
    positions = np.minimum(np.arange(count) / ratio, len(recording) - 1)
    signals = interpolate(recording.signals, positions, cutoff=min(1.0, ratio))
    labels = recording.labels[np.floor(positions + 0.5).astype(np.int64)]
    return replace(recording, signals=signals, labels=labels, rate_hz=float(rate_hz))


def resample_dataset(dataset: Dataset, rate_hz: float) -> Dataset:
    """All recordings of a dataset at one sample rate, as :func:`resample` gives them.

    Raises:
        DataError: if the rate is not a positive number.
    """
    return replace(
        dataset,
        recordings=tuple(resample(recording, rate_hz) for recording in dataset.recordings),
        unlabelled=tuple(resample(recording, rate_hz) for recording in dataset.unlabelled),
    )


def interpolate(signals: NDArray[np.float32], positions: NDArray[np.float64], cutoff: float) -> NDArray[np.float32]:
    """Values of a band-limited signal between its samples.

    Args:
        signals: ``[sample, channel]``.
        positions: ``[output]`` in samples of ``signals``, fractions allowed, within its ends.
        cutoff: upper edge of the pass band as a fraction of the input's Nyquist rate, at most 1.

    Returns:
        float32 ``[output, channel]``.
    """
    half_width = _ZERO_CROSSINGS / cutoff
    reach = int(np.ceil(half_width))
    taps = np.arange(-reach, reach + 1)
    output = np.empty((len(positions), signals.shape[1]), np.float32)
    for start in range(0, len(positions), _CHUNK):
        part = positions[start : start + _CHUNK]
        neighbours = np.floor(part).astype(np.int64)[:, None] + taps
        weights = interpolation_weights(part[:, None] - neighbours, cutoff, half_width)
        samples = signals[np.clip(neighbours, 0, len(signals) - 1)]
        output[start : start + _CHUNK] = np.einsum("ot,otc->oc", weights, samples)
    return output


def interpolation_weights(distance: NDArray[np.float64], cutoff: float, half_width: float) -> NDArray[np.float64]:
    """Weights of the samples at ``distance [output, tap]`` from an output; they sum to 1 over the taps.

    Args:
        distance: distance in samples of the input.
        cutoff: upper edge of the pass band as a fraction of the input's Nyquist rate, at most 1.
        half_width: half the width of the kernel, in samples of the input.
    """
    taper = np.sqrt(np.maximum(0.0, 1 - (distance / half_width) ** 2))
    inside = np.abs(distance) <= half_width
    weights = np.where(inside, np.sinc(cutoff * distance) * np.i0(_KAISER_BETA * taper), 0.0)
    # Without this, constants such as gravity would vary with the fractional position.
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)
