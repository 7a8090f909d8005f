"""Size of an accelerometer's counts, as its recordings show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .recording import Recording

# m/s^2: below a count, and above what rounding leaves of a value that was resampled.
_ROUNDED = 2e-5
# Of the coarsest range of a LIS3DH in 8 bits, 192 mg, and a little more: what jumps further than that is no count.
_LARGEST = 2.0
_LEAST_STEPS = 8
_OFF = 0.15


def acc_count_of(recordings: Sequence[Recording]) -> float:
    """Acceleration of one count of the accelerometer, m/s^2.

    It is the smallest step between values of an axis, if all steps are multiples of it. Values that were resampled or
    turned have no such steps.

    Args:
        recordings: of one sensor.

    Returns:
        0 if the recordings do not show it.

    >>> counts = np.random.default_rng(0).normal([0, 0, 60], 3, (500, 3)).round()
    >>> still = Recording(counts * 0.157, 50.0, "ada", np.zeros(500), channels=("acc_x", "acc_y", "acc_z"))
    >>> round(acc_count_of([still]), 3)
    0.157
    """
    measured = [axes for each in recordings if (axes := each.axes("acc")) is not None]
    if not measured:
        return 0.0
    steps = np.concatenate([np.diff(np.unique(axis)) for axis in np.concatenate(measured).T.astype(np.float64)])
    steps = steps[steps > _ROUNDED]
    if len(steps) < _LEAST_STEPS or not steps.min() <= _LARGEST:
        return 0.0
    # Also in text that was rounded, where single steps are a little off.
    count = float(steps[steps < 1.5 * steps.min()].mean())
    multiples = steps / count
    return count if bool((np.abs(multiples - multiples.round()) <= _OFF).all()) else 0.0
