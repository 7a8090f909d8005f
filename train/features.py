"""Common hand-made features of a window in time and frequency, for classifiers that are not networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, sensors_of

Array = NDArray[np.float32]
BANDS_HZ = ((0.3, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 5.0), (5.0, 10.0), (10.0, np.inf))
_PAIRS = ((0, 1), (0, 2), (1, 2))
_TIME = ("mean", "std", "min", "max", "mad", "iqr", "energy")


def feature_names(channels: tuple[str, ...] = CHANNELS) -> tuple[str, ...]:
    """Names of the features of some sensors' channels in the order of :func:`window_features`' columns."""
    bands = [f"band_{low:g}_{high:g}_hz" for low, high in BANDS_HZ]
    kinds = (*_TIME, "centroid_hz", "dominant_hz", *bands)
    of_signals = [f"{signal}_{kind}" for kind in kinds for signal in (*channels, *sensors_of(channels))]
    return (*of_signals, *(f"correlation_{channels[i]}_{channels[j]}" for i, j in _pairs(len(channels))))


def window_features(signals: Array, rate_hz: float) -> Array:
    """Features of raw windows.

    Computed for each channel and for the magnitude of each sensor's vector: mean, standard deviation, minimum,
    maximum, median absolute deviation, interquartile range, mean square; and, of the spectrum without the mean, its
    centroid, its largest bin and the power in each band. For each pair of axes of a sensor: the correlation, 0 if an
    axis is constant.

    Args:
        signals: ``[window, window_length, channel]``, SI units, three channels a sensor.
        rate_hz: sample rate.

    Returns:
        ``[window, feature]``, in the order of :func:`feature_names`.

    Reference: Anguita et al., A Public Domain Dataset for Human Activity Recognition Using Smartphones, ESANN 2013,
    table 2.
    """
    firsts = range(0, signals.shape[-1], 3)
    lengths = [np.linalg.norm(signals[..., first : first + 3], axis=-1, keepdims=True) for first in firsts]
    x = np.concatenate([signals, *lengths], axis=-1).astype(np.float64)
    correlations = _correlations(x, _pairs(signals.shape[-1]))
    return np.concatenate([_of_time(x), _of_frequency(x, rate_hz), correlations], axis=1).astype(np.float32)


def _pairs(channels: int) -> list[tuple[int, int]]:
    """Pairs of axes of one sensor, by their columns."""
    return [(first + i, first + j) for first in range(0, channels, 3) for i, j in _PAIRS]


def _of_time(x: NDArray[np.float64]) -> NDArray[np.float64]:
    low, middle, high = np.percentile(x, [25, 50, 75], axis=1)
    deviation = np.median(np.abs(x - middle[:, None]), axis=1)
    energy = (x**2).mean(axis=1)
    return np.concatenate([x.mean(1), x.std(1), x.min(1), x.max(1), deviation, high - low, energy], axis=1)


def _of_frequency(x: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    frequencies = np.fft.rfftfreq(x.shape[1], 1 / rate_hz)
    power = np.abs(np.fft.rfft(x - x.mean(1, keepdims=True), axis=1)) ** 2 / x.shape[1] ** 2
    centroid = np.einsum("f,nfc->nc", frequencies, power) / np.maximum(power.sum(axis=1), 1e-12)
    dominant = frequencies[power.argmax(axis=1)]
    bands = [power[:, (frequencies >= low) & (frequencies < high)].sum(axis=1) for low, high in BANDS_HZ]
    return np.concatenate([centroid, dominant, *bands], axis=1)


def _correlations(x: NDArray[np.float64], pairs: list[tuple[int, int]]) -> NDArray[np.float64]:
    centred = x - x.mean(axis=1, keepdims=True)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return np.stack([(unit[..., i] * unit[..., j]).sum(axis=1) for i, j in pairs], axis=1)
