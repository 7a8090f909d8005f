"""Windows at the model's rate out of whatever the sensor gives: its true rate, its gaps, its pieces.

Times and sample numbers are at the model's rate, from the run's first sample on, lost ones counted. The sensor's rate
is taken for what the datasheet says until it has been measured well enough, and then locked; it is locked anew only
where the measured one has left the lock by more than ``LOCK_STEP``. Between two locks the windows are a function of the
samples alone, not of when they were drained.
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

# An estimate is believed at this standard error, and a lock moved at this difference, both as shares of the rate.
LOCK_SPREAD = 0.001
LOCK_STEP = 0.005
# Above the model's rate samples are thinned out, which loses nothing; below it, what the sensor did not see is missing.
SLOWEST, FASTEST = 0.9, 8.0
# No oscillator is that far off its datasheet: a wrong setting or a counterfeit.
STRANGEST = 0.25
# Within this the chip's own rate is taken for the model's, as when the training recordings were made.
RATE_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class RateLock:
    """The rate that the stream counts on from now on.

    Args:
        rate_hz: of the sensor, as measured.
        nominal_hz: as set.
        resampled: whether windows are interpolated to the model's rate.
    """

    rate_hz: float
    nominal_hz: float
    resampled: bool


class SampleStream:
    """A sensor's samples on their way to windows.

    Args:
        contract: the model's rate, window and hop.
        nominal_hz: the sensor's rate as set.
        sensor: its name, for messages.
        rate_tolerance: largest relative difference of the rates at which samples are taken as they are.

    Raises:
        SensorError: if the sensor's rate cannot be made the model's.
    """

    def __init__(
        self, contract: ModelContract, nominal_hz: float, sensor: str, rate_tolerance: float = RATE_TOLERANCE
    ) -> None:
        self._contract = contract
        self._sensor = sensor
        self._tolerance = rate_tolerance
        self.clock = SampleClock(nominal_hz)
        self.locked_hz = nominal_hz
        self._assembler = WindowAssembler(contract.window_length, contract.hop_length, len(contract.channels))
        self._check(nominal_hz)
        self._resampler = self._resampler_for(nominal_hz)
        self._anchor_sample, self._anchor_s = 0, 0.0

    @property
    def resampled(self) -> bool:
        """Whether windows are interpolated to the model's rate."""
        return self._resampler is not None

    @property
    def newest(self) -> int:
        """Number of the newest sample that the sensor has given, though interpolation may still want those after it."""
        return self.received + (self._resampler.pending if self._resampler else 0) - 1

    def seconds(self, sample: int) -> float:
        """Time of a sample number, seconds after the run's first sample; right for numbers since the last lock."""
        return self._anchor_s + (sample - self._anchor_sample) / self._stream_hz

    @property
    def received(self) -> int:
        """Number that the next sample will have."""
        return self._assembler.received

    @property
    def wanted(self) -> int:
        """How many more of the sensor's samples complete the next window."""
        wanted = self._assembler.wanted
        return wanted if self._resampler is None else self._resampler.wanted(wanted)

    def begin(self, now_ns: int) -> None:
        """The sensor was started at ``now_ns``."""
        self.clock.begin(now_ns)

    def note_drain(self, now_ns: int, samples: int) -> RateLock | None:
        """Take note of a drain's time and size; returns the new lock if the rate has to be locked anew.

        Raises:
            SensorError: if the measured rate is beyond repair.
        """
        if not samples:
            # A sensor that hangs is not a slow one.
            return None
        self.clock.drained(now_ns, samples)
        measured = self.clock.rate_hz
        if self.clock.spread > LOCK_SPREAD or abs(measured / self.locked_hz - 1) < LOCK_STEP:
            return None
        self._check(measured)
        return self._lock(measured)

    def resample(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples ``[n, 6]`` at the sensor's rate to samples at the model's."""
        return signals if self._resampler is None else self._resampler.push(signals)

    def windows(self, samples: NDArray[np.float32]) -> Iterator[Window]:
        """Windows that samples at the model's rate complete; run it to its end."""
        return self._assembler.push(samples)

    def gap(self, resumed_ns: int) -> int:
        """Begin anew at ``resumed_ns``; returns how many of the sensor's samples were lost, right to one."""
        lost = self.clock.lost_until(resumed_ns)
        self.clock.begin(resumed_ns)
        if self._resampler is None:
            self._assembler.gap(lost)
        else:
            self._assembler.gap(round(lost * self._contract.rate_hz / self.locked_hz) + self._resampler.pending)
            self._resampler.begin()
        return lost

    def _lock(self, rate_hz: float) -> RateLock:
        self._anchor_s, self._anchor_sample = self.seconds(self.received), self.received
        self.locked_hz = rate_hz
        off = not self._fits(rate_hz)
        if self._resampler is not None:
            self._resampler.change_step(rate_hz / self._contract.rate_hz)
        elif off:
            self._resampler = self._resampler_for(rate_hz)
            # Samples so far were counted at another rate: windows begin anew rather than mix the two.
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
        if SLOWEST <= rate_hz / wanted <= FASTEST and abs(rate_hz / nominal - 1) <= STRANGEST:
            return
        raise SensorError(
            self._sensor,
            found=f"{rate_hz:.4g} samples a second, set to {nominal:.4g}",
            expected=f"{SLOWEST * wanted:.4g} to {FASTEST * wanted:.4g}, within {STRANGEST:.0%} of its setting",
            next_step="use another sensor, or train for this one's rate",
        )
