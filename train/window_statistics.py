"""Statistics of the training windows that fix a model's input: ranges and whitening gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import StftSpec

from .front_end import SATURATION, DftSpectrogram, dft_kernels

_MAX_WINDOWS = 2048


def input_range(signals: NDArray[np.float32], percentile: float = 99.9) -> tuple[float, ...]:
    """SI value of each channel that corresponds to 1.0 at a quantized input.

    The three axes of a sensor share one range, so that another orientation of the wearable does not saturate earlier.
    Rare values above the percentile are excluded because they would cost all other values resolution.

    Args:
        signals: ``[window, window_length, channel]``, SI units.
        percentile: percentage of values of the sensor's widest axis that must not saturate.
    """
    axes = np.percentile(np.abs(signals), percentile, axis=(0, 1))
    sensors = np.maximum(axes.reshape(-1, 3).max(axis=1), 1e-3)
    return tuple(float(f"{value:.4g}") for value in np.repeat(sensors, 3).tolist())


def whitening_gain(
    signals: NDArray[np.float32], spec: StftSpec, ranges: Sequence[float], percentile: float = 99.9
) -> tuple[float, ...]:
    """Gain of each bin that brings its rare largest projections to the saturation of the front end.

    Args:
        signals: ``[window, window_length, channel]``, SI units.
        spec: the STFT.
        ranges: input range of each channel.
        percentile: percentage of a bin's projections that must not saturate.
    """
    chosen = signals[:: max(1, len(signals) // _MAX_WINDOWS)]
    projections = np.abs(np.asarray(DftSpectrogram(spec, ranges).project(chosen)))
    bins = dft_kernels(spec)[1].argmax(axis=1)
    largest = [np.percentile(projections[..., bins == k], percentile) for k in range(spec.bins)]
    return tuple((SATURATION / np.maximum(largest, 1e-5)).astype(np.float32).tolist())
