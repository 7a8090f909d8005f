"""Sources without a recording: sines that can be compared with a formula, and an endless synthetic wearer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deseptr.contract import SetupError
from deseptr.contract.input_files import LARGEST_NUMBER
from deseptr.data import Recording, synthetic_stretch


class SineSource:
    """An endless sine on every axis: ``offset + amplitude · sin(2π · frequency · t + phase)``.

    Args:
        frequency_hz: a number, or ``[6]``.
        amplitude: a number, or ``[6]``, in m/s^2 and rad/s.
        offset: a number, or ``[6]``, in m/s^2 and rad/s.
        phase: a number, or ``[6]``, radians.

    >>> SineSource(frequency_hz=1, amplitude=2).at(np.array([250_000_000])).tolist()
    [[2.0, 2.0, 2.0, 2.0, 2.0, 2.0]]
    """

    duration_ns = None

    def __init__(
        self, frequency_hz: ArrayLike, amplitude: ArrayLike, offset: ArrayLike = 0.0, phase: ArrayLike = 0.0
    ) -> None:
        self._frequency_hz = _six("frequency_hz", frequency_hz)
        self._amplitude = _six("amplitude", amplitude)
        self._offset = _six("offset", offset)
        self._phase = _six("phase", phase)

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``."""
        angle = 2 * np.pi * self._frequency_hz * (times_ns[:, None] / 1e9) + self._phase
        return np.asarray(self._offset + self._amplitude * np.sin(angle), np.float64)


class WearerSource:
    """An endless synthetic wearer with a magnetometer, generated stretch by stretch.

    Stretch k of a wearer is one activity and does not depend on the order of calls; each stretch fades into the next
    one within ``FADE_S``. Only the latest stretches are kept.

    Args:
        subject: number of the wearer, from 1 on.
        seed: seed of all wearers.
        stretch_s: length of a stretch, seconds.
        rate_hz: rate of the generated samples, which are interpolated in between.

    >>> WearerSource().at(np.array([0, 20_000_000])).shape
    (2, 6)
    """

    duration_ns = None
    FADE_S = 1.0

    def __init__(self, subject: int = 1, seed: int = 1, stretch_s: float = 30.0, rate_hz: float = 50.0) -> None:
        self._rate_hz = rate_hz
        self._count = round(stretch_s * rate_hz)
        self._fade = round(self.FADE_S * rate_hz)
        # One more sample, for the interpolation after the last one.
        length_s = (self._count + self._fade + 1) / rate_hz
        self._stretch = lru_cache(maxsize=4)(
            lambda number: _signals(synthetic_stretch(subject, number, seed, rate_hz, length_s, magnetometer=True))
        )

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``."""
        return self._at(times_ns)[:, :6]

    def field_at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Magnetic field ``[n, 3]`` in microtesla; where stretches meet, the wearer turns to another direction."""
        return self._at(times_ns)[:, 6:]

    def _at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        positions = times_ns * (self._rate_hz / 1e9)
        numbers = (positions // self._count).astype(np.int64)
        signals = np.empty((len(times_ns), 9))
        for number in np.unique(numbers).tolist():
            inside = numbers == number
            signals[inside] = self._within(number, positions[inside] - number * self._count)
        return signals

    def _within(self, number: int, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signals at ``positions`` samples into a stretch; at its beginning the previous one fades out."""
        signals = _interpolated(self._stretch(number), positions)
        fading = positions < self._fade
        if number > 0 and fading.any():
            share = (positions[fading] / self._fade)[:, None]
            before = _interpolated(self._stretch(number - 1), positions[fading] + self._count)
            signals[fading] = signals[fading] * share + before * (1 - share)
        return signals


def _signals(recording: Recording) -> NDArray[np.float32]:
    return recording.signals


def _interpolated(signals: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    before = positions.astype(np.int64)
    share = (positions - before)[:, None]
    return np.asarray(signals[before] * (1 - share) + signals[before + 1] * share, np.float64)


def _six(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.full(1, np.nan)
    if array.shape not in ((), (1,), (6,)) or not (np.abs(array) <= LARGEST_NUMBER).all():
        raise SetupError(
            f"sine source, {name}", found=values, expected="a number, or six", next_step="give one for each axis"
        )
    return np.broadcast_to(array, (6,))
