"""Windows at the model's rate from a sensor's samples, for any true rate, gaps and sizes of drains.

Times and sample numbers are at the model's rate, from the run's first sample on, lost ones counted. The datasheet's
rate is used until the true rate has been measured well enough; then that is locked, and changed only if the measured
rate leaves the lock by more than ``LOCK_STEP``. Between two locks the windows depend on the samples alone, not on the
times of the drains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, SensorError

from .resampler import StreamResampler
from .timing import SampleClock
from .windows import Window, WindowAssembler

# Standard error at which an estimate is used, and difference at which a lock is moved, both as shares of the rate.
LOCK_SPREAD = 0.001
LOCK_STEP = 0.005
# Ratios to the model's rate: a faster sensor is decimated without loss; a slower one lacks the highest frequencies.
SLOWEST, FASTEST = 0.9, 8.0
# No oscillator is further off its datasheet: a larger error means a wrong setting or a counterfeit chip.
MAX_RATE_ERROR = 0.25
# Within this difference from the model's rate samples are not resampled, as in the recordings for training.
RATE_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class RateLock:
    """The sensor's rate as used from now on.

    Args:
        rate_hz: of the sensor, as measured.
        nominal_hz: as set.
        resampled: whether windows are interpolated to the model's rate.
    """

    rate_hz: float
    nominal_hz: float
    resampled: bool


class SampleStream:
    """Turns a sensor's samples into windows.

    Args:
        contract: the model's rate, window, hop and history.
        nominal_hz: the sensor's rate as set.
        sensor: its name, for messages.
        rate_tolerance: largest relative difference of the rates at which samples are not resampled.

    Raises:
        SensorError: if the sensor's rate cannot be resampled to the model's.
    """

    def __init__(
        self, contract: ModelContract, nominal_hz: float, sensor: str, rate_tolerance: float = RATE_TOLERANCE
    ) -> None:
        self._contract = contract
        self._sensor = sensor
        self._tolerance = rate_tolerance
        self.clock = SampleClock(nominal_hz)
        self.locked_hz = nominal_hz
        self._assembler = WindowAssembler(
            contract.window_length, contract.hop_length, len(contract.channels), contract.history
        )
        self._check(nominal_hz)
        self._resampler = self._resampler_for(nominal_hz)
        self._anchor_sample, self._anchor_s = 0, 0.0

    @property
    def resampled(self) -> bool:
        """Whether windows are interpolated to the model's rate."""
        return self._resampler is not None

    @property
    def newest(self) -> int:
        """Number of the newest sample that the sensor has given, even if interpolation still needs later ones."""
        return self.received + (self._resampler.pending if self._resampler else 0) - 1

    def seconds(self, sample: int) -> float:
        """Time of a sample number, seconds after the run's first sample; valid for numbers since the last lock."""
        return self._anchor_s + (sample - self._anchor_sample) / self._stream_hz

    @property
    def received(self) -> int:
        """Number that the next sample will have."""
        return self._assembler.received

    @property
    def wanted(self) -> int:
        """Number of the sensor's samples that the next window still lacks."""
        wanted = self._assembler.wanted
        return wanted if self._resampler is None else self._resampler.wanted(wanted)

    def begin(self, now_ns: int) -> None:
        """Begin the first segment: the sensor was started at ``now_ns``."""
        self.clock.begin(now_ns)

    def note_drain(self, now_ns: int, samples: int) -> RateLock | None:
        """Record a drain's time and size; returns the new lock if the rate has to be locked again.

        Raises:
            SensorError: if the measured rate cannot be resampled to the model's.
        """
        if not samples:
            # Without samples the sensor may hang, so that its rate is unknown.
            return None
        self.clock.drained(now_ns, samples)
        measured = self.clock.rate_hz
        if self.clock.spread > LOCK_SPREAD or abs(measured / self.locked_hz - 1) < LOCK_STEP:
            return None
        self._check(measured)
        return self._lock(measured)

    def resample(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample ``[n, channels]`` from the sensor's rate to the model's."""
        return signals if self._resampler is None else self._resampler.push(signals)

    def windows(self, samples: NDArray[np.float32]) -> Iterator[Window]:
        """Windows completed by samples at the model's rate; the iterator must be run to its end."""
        return self._assembler.push(samples)

    def gap(self, resumed_ns: int) -> int:
        """Begin a new segment at ``resumed_ns``; returns the number of the sensor's samples lost, right to one."""
        lost = self.clock.lost_until(resumed_ns)
        self.clock.begin(resumed_ns)
        begin_segment(self._assembler, self._resampler, lost)
        return lost

    def _lock(self, rate_hz: float) -> RateLock:
        self._anchor_s, self._anchor_sample = self.seconds(self.received), self.received
        self.locked_hz = rate_hz
        off = not self._fits(rate_hz)
        if self._resampler is not None:
            self._resampler.change_step(rate_hz / self._contract.rate_hz)
        elif off:
            self._resampler = self._resampler_for(rate_hz)
            # Samples so far were counted at another rate: a new segment, so that no window mixes the two.
            self._assembler.gap(0)
        return RateLock(rate_hz, self.clock.nominal_hz, self.resampled)

    @property
    def _stream_hz(self) -> float:
        return self._contract.rate_hz if self._resampler else self.locked_hz

    def _fits(self, rate_hz: float) -> bool:
        return abs(rate_hz / self._contract.rate_hz - 1) <= self._tolerance

    def _resampler_for(self, rate_hz: float) -> StreamResampler | None:
        if self._fits(rate_hz):
            return None
        return StreamResampler(rate_hz / self._contract.rate_hz, len(self._contract.channels))

    def _check(self, rate_hz: float) -> None:
        wanted, nominal = self._contract.rate_hz, self.clock.nominal_hz
        if SLOWEST <= rate_hz / wanted <= FASTEST and abs(rate_hz / nominal - 1) <= MAX_RATE_ERROR:
            return
        raise SensorError(
            self._sensor,
            found=f"{rate_hz:.4g} samples a second, set to {nominal:.4g}",
            expected=f"{SLOWEST * wanted:.4g} to {FASTEST * wanted:.4g}, within {MAX_RATE_ERROR:.0%} of its setting",
            next_step="use another sensor, or train for this one's rate",
        )


def begin_segment(assembler: WindowAssembler, resampler: StreamResampler | None, lost: float) -> None:
    """Begin a new segment of a stream after a loss.

    Args:
        assembler: of the windows.
        resampler: before it, or None where samples come at the model's rate.
        lost: number of samples lost, at the source's rate.
    """
    if resampler is None:
        assembler.gap(round(lost))
    else:
        assembler.gap(round(lost / resampler.step) + resampler.pending)
        resampler.begin()
