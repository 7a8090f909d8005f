"""A source whose every sample encodes its time, so that lost, doubled, corrupted or mis-scaled samples are detected.

A time of 50 bits in nanoseconds, 13 days, and a checksum of 10 bits are spread over the six channels, ten bits on each.
The steps are large enough to survive the rounding of a chip at its coarsest full scale, and small enough to fit into
its finest: ±2 g and ±250 degrees per second.

Three accelerations of a chip with coarse counts hold less: :class:`CoarseCountingSource` encodes steps of 4 ms, which
tell one sample from the next and repeat after nine minutes, and remembers the times of these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.device import STANDARD_GRAVITY

TIME_BITS, FIELD_BITS = 50, 10
FIELDS = TIME_BITS // FIELD_BITS
HALF = 1 << FIELD_BITS - 1
MASK = (1 << FIELD_BITS) - 1
# 512 steps of these are 1.8 g and 230 deg/s. At ±16 g a count is 0.49 mg, at ±2000 deg/s at most 0.07 deg/s: rounding
# moves a value by 8 % of a step.
STEPS = np.array([3.5e-3 * STANDARD_GRAVITY] * 3 + [np.deg2rad(0.45)] * 3)
TOLERANCE = 0.2
# Fibonacci hashing: the top bits of a product with this depend on all bits of the time.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SHIFTS = np.arange(FIELDS, dtype=np.uint64) * np.uint64(FIELD_BITS)


class CountingSource:
    """Endless samples that encode their time; after 13 days the times start again at 0."""

    duration_ns = None

    def times_of(self, signals: NDArray[np.float32]) -> NDArray[np.int64]:
        """As :func:`counted_times`."""
        return counted_times(signals)

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``."""
        times = times_ns.astype(np.uint64) & np.uint64((1 << TIME_BITS) - 1)
        fields = np.empty((len(times), FIELDS + 1), np.uint64)
        fields[:, :FIELDS] = times[:, None] >> SHIFTS & np.uint64(MASK)
        fields[:, FIELDS] = _checksum(times)
        return np.asarray((fields.astype(np.int64) - HALF) * STEPS, np.float64)


def counting_source(channels: int) -> CountingSource | CoarseCountingSource:
    """The source for a chip of six channels, or of three accelerations.

    >>> type(counting_source(3)).__name__
    'CoarseCountingSource'
    """
    return CoarseCountingSource() if channels == 3 else CountingSource()


def counted_times(signals: NDArray[np.float32]) -> NDArray[np.int64]:
    """Times in ns, int64 ``[n]``, of samples ``[n, 6]`` of a :class:`CountingSource`; -1 for corrupted samples.

    >>> counted_times(CountingSource().at(np.array([0, 20_000_000])).astype(np.float32)).tolist()
    [0, 20000000]
    """
    steps = signals / STEPS
    nearest = np.rint(steps)
    genuine = (np.abs(steps - nearest) < TOLERANCE).all(axis=1) & (np.abs(nearest + 0.5) <= HALF).all(axis=1)
    fields = np.where(genuine[:, None], nearest + HALF, 0).astype(np.uint64)
    times = np.bitwise_or.reduce(fields[:, :FIELDS] << SHIFTS, axis=1)
    genuine &= fields[:, FIELDS] == _checksum(times)
    return np.where(genuine, times.astype(np.int64), -1)


# 8 bits on each of three accelerations: 17 of the time and 7 of a checksum. 128 steps of these are 7.7 g, inside ±8 g,
# where the coarsest chip's count of 16 mg is 27 % of a step, and rounding moves a value by half of that.
COARSE_STEP = 60e-3 * STANDARD_GRAVITY
COARSE_BITS, COARSE_TIME_BITS, COARSE_SHIFT = 8, 17, 22
COARSE_MASK, COARSE_HALF = (1 << COARSE_BITS) - 1, 1 << COARSE_BITS - 1
COARSE_SHIFTS = np.arange(3) * COARSE_BITS


class CoarseCountingSource:
    """Endless accelerations at ±8 g and up to 200 Hz that encode the :func:`coarse_ticks` of their time."""

    duration_ns = None

    def __init__(self) -> None:
        self._times: dict[int, int] = {}

    def times_of(self, signals: NDArray[np.float32]) -> NDArray[np.int64]:
        """Times in ns, int64 ``[n]``, of samples ``[n, 3]`` that it gave; -1 for corrupted samples."""
        return np.array([self._times.get(tick, -1) for tick in counted_ticks(signals).tolist()], np.int64)

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``."""
        ticks = coarse_ticks(times_ns)
        self._times.update(zip(ticks.tolist(), times_ns.tolist(), strict=True))
        words = ticks | _coarse_checksum(ticks) << COARSE_TIME_BITS
        signals = np.zeros((len(times_ns), 6))
        signals[:, :3] = ((words[:, None] >> COARSE_SHIFTS & COARSE_MASK) - COARSE_HALF) * COARSE_STEP
        return signals


def coarse_ticks(times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times in steps of 2^22 ns, modulo 2^17."""
    return times_ns >> COARSE_SHIFT & (1 << COARSE_TIME_BITS) - 1


def counted_ticks(acceleration: NDArray[np.float32]) -> NDArray[np.int64]:
    """Ticks, int64 ``[n]``, of samples ``[n, 3]`` of a :class:`CoarseCountingSource`; -1 for corrupted samples.

    >>> signals = CoarseCountingSource().at(np.array([0, 20_000_000]))
    >>> counted_ticks(signals[:, :3].astype(np.float32)).tolist()
    [0, 4]
    """
    steps = acceleration / COARSE_STEP
    nearest = np.rint(steps)
    genuine = (np.abs(steps - nearest) < TOLERANCE).all(axis=1) & (np.abs(nearest + 0.5) <= COARSE_HALF).all(axis=1)
    fields = np.where(genuine[:, None], nearest + COARSE_HALF, 0).astype(np.int64)
    words = np.bitwise_or.reduce(fields << COARSE_SHIFTS, axis=1)
    ticks = words & (1 << COARSE_TIME_BITS) - 1
    genuine &= words >> COARSE_TIME_BITS == _coarse_checksum(ticks)
    return np.where(genuine, ticks, -1)


def _coarse_checksum(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    return (_checksum(ticks.astype(np.uint64)) >> np.uint64(FIELD_BITS + COARSE_TIME_BITS - 3 * COARSE_BITS)).astype(
        np.int64
    )


def _checksum(times: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.asarray((times + np.uint64(1)) * MULTIPLIER >> np.uint64(64 - FIELD_BITS), np.uint64)
