"""Common hand-made features of a window in time and frequency, for classifiers that are not networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS

Array = NDArray[np.float32]
SIGNALS = (*CHANNELS, "acc", "gyro")
BANDS_HZ = ((0.3, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 5.0), (5.0, 10.0), (10.0, np.inf))
_PAIRS = ((0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5))
_TIME = ("mean", "std", "min", "max", "mad", "iqr", "energy")


def feature_names() -> tuple[str, ...]:
    """Names of the features in the order of :func:`window_features`' columns."""
    bands = [f"band_{low:g}_{high:g}_hz" for low, high in BANDS_HZ]
    kinds = (*_TIME, "centroid_hz", "dominant_hz", *bands)
    of_signals = [f"{signal}_{kind}" for kind in kinds for signal in SIGNALS]
    return (*of_signals, *(f"correlation_{CHANNELS[i]}_{CHANNELS[j]}" for i, j in _PAIRS))


def window_features(signals: Array, rate_hz: float) -> Array:
    """Features of raw windows.

    Computed for each of the six channels and for the magnitudes of both vectors: mean, standard deviation, minimum,
    maximum, median absolute deviation, interquartile range, mean square; and, of the spectrum without the mean, its
    centroid, its largest bin and the power in each band. For each pair of axes of a sensor: the correlation, 0 if an
    axis is constant.

    Args:
        signals: ``[window, window_length, 6]``, SI units.
        rate_hz: sample rate.

    Returns:
        ``[window, feature]``, in the order of :func:`feature_names`.

    Reference: Anguita et al., A Public Domain Dataset for Human Activity Recognition Using Smartphones, ESANN 2013,
    table 2.
    """
    lengths = [np.linalg.norm(signals[..., part], axis=-1, keepdims=True) for part in (slice(3), slice(3, 6))]
    x = np.concatenate([signals, *lengths], axis=-1).astype(np.float64)
    return np.concatenate([_of_time(x), _of_frequency(x, rate_hz), _correlations(x)], axis=1).astype(np.float32)


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


def _correlations(x: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = x - x.mean(axis=1, keepdims=True)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return np.stack([(unit[..., i] * unit[..., j]).sum(axis=1) for i, j in _PAIRS], axis=1)
