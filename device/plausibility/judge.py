"""Whether samples can come from a sensor that somebody wears, judged before inference.

A classifier names an activity for any input: a sensor that hangs, a wrong full scale, a washing machine. Five
questions about the last seconds refuse what no worn sensor measures. Their limits leave room for cheap sensors and for
falls; ``benchmarks/plausibility.py`` measures how often they refuse recordings of people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import COARSE_COUNT, SENSORS, STANDARD_GRAVITY, ModelContract, sensors_of
from deseptr.device.stream.ring import SampleRing
from deseptr.device.stream.windows import Window

from .turning import Turning

FINDINGS = {
    "stuck": "an axis does not change, or samples repeat",
    "saturated": "an axis stays at its largest value",
    "gravity": "the acceleration is not that of gravity",
    "spectrum": "the acceleration is faster than a body moves",
    "rotation": "the angular rate is not that by which gravity turns",
}
"""What each finding means, by its name, in the order in which they are looked for."""

# A window of fewer seconds is judged together with the samples before it.
LEAST_S = 2.5
# Below a sensor's resolution, and above what rounding leaves of a constant that was resampled.
_CONSTANT = 2e-5
# Less than a chip's noise, and more than rounding.
_PLATEAU = 0.9995


@dataclass(frozen=True, slots=True)
class PlausibilityLimits:
    """Limits of :class:`Plausibility`, each beyond what worn sensors gave in three data sets.

    Args:
        repeated: share of samples that equal the one before.
        saturated: share of samples at an axis's largest value, or within 0.05 % of it.
        least_saturation_g: smallest value at which an accelerometer may be saturated, g.
        least_saturation_dps: the same of a gyroscope, degrees per second.
        quiet: standard deviation of ``|a|`` below which acceleration is mostly gravity, m/s^2.
        quiet_gravity: range of the mean of ``|a|`` while it is quiet, m/s^2.
        gravity: the same while it is not.
        fast_hz: frequency below which a body moves.
        fast_share: share of the acceleration's power above that frequency, in each half of the seconds judged.
        fast_rms: least effective value of that part, m/s^2.
        steady_turn: mean angular rate in rad/s at which nobody turns without wavering by ``steady_waver`` rad/s.
        steady_waver: smallest standard deviation at such a rate.
    """

    repeated: float = 0.75
    saturated: float = 0.25
    least_saturation_g: float = 1.9
    least_saturation_dps: float = 240.0
    quiet: float = 1.0
    quiet_gravity: tuple[float, float] = (7.3, 12.3)
    gravity: tuple[float, float] = (6.5, 30.0)
    fast_hz: float = 10.0
    fast_share: float = 0.5
    fast_rms: float = 1.5
    steady_turn: float = 0.35
    steady_waver: float = 0.03


class Plausibility:
    """Judges the latest seconds of a stream of samples.

    Args:
        channels: names of the samples' channels; those of accelerometer and gyroscope are judged.
        rate_hz: rate of the samples.
        window_length: samples of a window.
        limits: the limits.
        acc_count: acceleration of one count of the accelerometer, m/s^2. From ``COARSE_COUNT`` on, values of it
            that do not change are plausible.

    >>> plausibility = Plausibility(("acc_x", "acc_y", "acc_z"), rate_hz=50, window_length=128)
    >>> plausibility.judge(Window(0, np.zeros((128, 3), np.float32)))
    'stuck'
    """

    def __init__(
        self,
        channels: Sequence[str],
        rate_hz: float,
        window_length: int,
        limits: PlausibilityLimits | None = None,
        acc_count: float = 0.0,
    ) -> None:
        self._limits = limits or PlausibilityLimits()
        self._columns, self._saturation = _axes(channels, self._limits)
        self._has = sensors_of(channels)
        self._length = max(window_length, math.ceil(LEAST_S * rate_hz))
        self._next = 0
        self._ring = SampleRing(self._length, len(self._columns)) if self._length > window_length else None
        self._first_fast = _first_bin(self._limits.fast_hz, self._length // 2, rate_hz)
        both = {"acc", "gyro"} <= set(self._has)
        self._turning = Turning(self._length, rate_hz) if both else None
        self._compared: int | None = None
        self._acc_count = 0.0
        self.measured_in(acc_count)

    @classmethod
    def of(cls, contract: ModelContract) -> Plausibility:
        """The judge of a model's stream."""
        return cls(contract.channels, contract.rate_hz, contract.window_length)

    def measured_in(self, acc_count: float) -> None:
        """Take note of the acceleration of one count of the accelerometer, m/s^2; 0 if it is not known.

        Of several, as of a recording and of the sensor that plays it, the coarsest counts.
        """
        self._acc_count = max(self._acc_count, acc_count)
        coarse = "acc" in self._has and self._acc_count >= COARSE_COUNT
        self._first_fine = len(SENSORS["acc"].channels) if coarse else 0

    def reset(self) -> None:
        """Begin a new stream."""
        self.gap()
        self._next = 0

    def gap(self) -> None:
        """Forget the samples so far: none is judged together with those after a loss."""
        if self._ring is not None:
            self._ring.clear()
        if self._turning is not None:
            self._turning.forget()
        self._compared = None

    def judge(self, window: Window) -> str | None:
        """Judge a window.

        Args:
            window: the next one of the stream, SI units.

        Returns:
            One of :data:`FINDINGS`; None if the samples are plausible, too few so far, or of a magnetometer alone.
        """
        if not self._columns:
            return None
        samples = self._latest(window)
        return None if samples is None else self._find(samples, window.end)

    def _latest(self, window: Window) -> NDArray[np.float32] | None:
        """The latest samples of accelerometer and gyroscope; None before there are enough."""
        samples = window.samples[window.history :, self._columns]
        ring = self._ring
        if ring is None:
            return samples
        fresh = window.end + 1 - self._next
        self._next = window.end + 1
        if not 0 < fresh <= len(samples):
            ring.clear()
        ring.push(samples[-fresh:] if len(ring) else samples)
        return ring.latest(self._length) if len(ring) >= self._length else None

    def _find(self, samples: NDArray[np.float32], end: int) -> str | None:
        steps = samples[1:] - samples[:-1]
        highest, lowest = samples.max(0), samples.min(0)
        if self._saturated(samples, highest, lowest):
            return "saturated"
        fine = slice(self._first_fine, None)
        if ((highest - lowest)[fine] <= _CONSTANT).any() or self._repeats(steps[:, fine]):
            return "stuck"
        acc = samples[:, :3] if "acc" in self._has else None
        quiet = False
        if acc is not None:
            mean, deviation = _norm(acc)
            quiet = deviation < self._limits.quiet
            low, high = self._limits.quiet_gravity if quiet else self._limits.gravity
            if not low <= mean <= high:
                return "gravity"
            if self._too_fast(acc, steps[:, :3]):
                return "spectrum"
        return "rotation" if self._disagrees(samples, quiet, end) else None

    def _saturated(
        self, samples: NDArray[np.float32], highest: NDArray[np.float32], lowest: NDArray[np.float32]
    ) -> bool:
        largest = np.maximum(highest, -lowest)
        for axis in np.flatnonzero(largest > self._saturation):
            values = samples[:, axis] if highest[axis] == largest[axis] else -samples[:, axis]
            if np.count_nonzero(values >= _PLATEAU * largest[axis]) > self._limits.saturated * len(samples):
                return True
        return False

    def _repeats(self, steps: NDArray[np.float32]) -> bool:
        if not steps.shape[1]:
            return False
        moving = int(np.count_nonzero(steps.any(1)))
        return len(steps) - moving > self._limits.repeated * len(steps)

    def _too_fast(self, acc: NDArray[np.float32], steps: NDArray[np.float32]) -> bool:
        limits, first = self._limits, self._first_fast
        # A tone of `fast_hz` has the smallest steps of all that are fast enough.
        if first is None or np.vdot(steps, steps) < len(steps) * limits.fast_rms**2:
            return False
        # In each half: an impact, which is as fast, lies in one of them.
        half = len(acc) // 2
        spectrum = np.fft.rfft(acc[: 2 * half].reshape(2, half, 3), axis=1)[:, 1:]
        power = (np.square(spectrum.real) + np.square(spectrum.imag)).sum(2)
        fast, total = power[:, first - 1 :].sum(1), power.sum(1)
        return bool((fast > limits.fast_share * total).all() and 2 * fast.min() > (limits.fast_rms * half) ** 2)

    def _disagrees(self, samples: NDArray[np.float32], quiet: bool, end: int) -> bool:
        if "gyro" not in self._has:
            return False
        gyro = samples[:, -3:]
        mean = gyro.sum(0) / len(gyro)
        if np.vdot(mean, mean) > self._limits.steady_turn**2 and float(gyro.std(0).max()) < self._limits.steady_waver:
            return True
        # At a short hop, a movement is in many windows: it is evidence but once, or twice at half a window's hop.
        fresh = self._compared is None or end - self._compared >= len(samples) // 2
        if quiet and fresh:
            self._compared = end
        return self._turning is not None and self._turning.disagrees(samples[:, :3] if quiet and fresh else None, gyro)


def _axes(channels: Sequence[str], limits: PlausibilityLimits) -> tuple[list[int], NDArray[np.float32]]:
    """Columns of accelerometer and gyroscope, in this order, and the smallest value at which each may be saturated."""
    smallest = {
        "acc": limits.least_saturation_g * STANDARD_GRAVITY,
        "gyro": math.radians(limits.least_saturation_dps),
    }
    names = [(name, axis) for name in smallest if name in sensors_of(channels) for axis in SENSORS[name].channels]
    columns = [list(channels).index(axis) for _, axis in names]
    return columns, np.array([smallest[name] for name, _ in names], np.float32)


def _norm(acc: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation of ``|a|``."""
    squares = np.einsum("ij,ij->i", acc, acc)
    mean = float(np.sqrt(squares).sum()) / len(acc)
    return mean, math.sqrt(max(0.0, float(squares.sum()) / len(acc) - mean * mean))


def _first_bin(frequency_hz: float, length: int, rate_hz: float) -> int | None:
    """First bin of a spectrum at a frequency; None if white noise would not have most of its power above it."""
    return math.ceil(frequency_hz * length / rate_hz) if rate_hz >= 4.5 * frequency_hz else None
