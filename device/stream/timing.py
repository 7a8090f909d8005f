"""Estimates of the sensor's true rate and of the samples' times, from the times of the drains alone.

A chip's oscillator is off by several per cent from its datasheet's rate; the host's clock is good to some parts per
million. When a drain at host time t brings the stream to n samples, the newest of them was taken within the sample
period before t. The rate is the slope of n over t; the phase is the intersection of all those half-open intervals.
"""

from __future__ import annotations

import math
from typing import NamedTuple

# Time constant of the rate's estimate: temperature moves an oscillator within minutes, not seconds.
MEMORY_S = 120.0
# An estimate worse than this is no better than the datasheet's rate.
WORST_SPREAD = 0.02
# With an estimate at least this good, a drain that lacks more than this many samples is in doubt.
TRUSTED_SPREAD = 0.005
SLACK_SAMPLES = 0.25
# Standard deviation of a count that is off by less than one sample, uniformly.
COUNT_SPREAD = 1 / math.sqrt(12)


class _Drain(NamedTuple):
    now_ns: int
    samples: int
    """Of its segment, up to this drain."""


class SampleClock:
    """A running estimate of a sensor's sample rate and of its samples' times.

    The rate is the slope of a least-squares line through (time, samples so far). The segments between gaps share one
    slope and have an offset each; older drains weigh less. Times are nanoseconds of the host's monotonic clock.

    A drain that brings fewer samples than expected is used only once the next one brings samples and lacks some, too:
    the sensor may have stopped, and the time at which it did follows from the drains before.

    Args:
        nominal_hz: the rate that the sensor was set to; used until there is an estimate.

    >>> clock = SampleClock(nominal_hz=50)
    >>> for second in range(1, 31):
    ...     clock.drained(second * 1_000_000_000, samples=51)
    >>> round(clock.rate_hz, 2)
    51.0
    """

    def __init__(self, nominal_hz: float) -> None:
        self.nominal_hz = nominal_hz
        self._times = self._product = 0.0
        self._earlier_times = self._earlier_product = 0.0
        self._drains = 0.0
        self._mean_s = self._mean_samples = 0.0
        self.begin(0)

    def begin(self, now_ns: int) -> None:
        """Begin a segment: from ``now_ns`` on samples count from 0, the first within a sample period from then.

        Their distance from earlier samples is unknown.
        """
        self._earlier_times += self._times
        self._earlier_product += self._product
        self._times = self._product = self._drains = 0.0
        self._mean_s = self._mean_samples = 0.0
        self._begun_ns = self._last_ns = now_ns
        self.samples = 0
        self._earliest_s, self._latest_s = -1 / self.rate_hz, 0.0
        self._doubted: _Drain | None = None

    def drained(self, now_ns: int, samples: int) -> None:
        """Record that a drain at ``now_ns`` brought ``samples`` samples and left none."""
        self.samples += samples
        drain = _Drain(now_ns, self.samples)
        if self._behind(drain) and samples and self._doubted is not None:
            # The sensor ran on after the drain in doubt; during this one it may have stopped.
            self._use(self._doubted)
        if not self._behind(drain):
            self._use(drain)
        else:
            self._doubted = drain if samples else None

    def _use(self, drain: _Drain) -> None:
        self._doubted = None
        self._forget((drain.now_ns - self._last_ns) / 1e9)
        self._last_ns = drain.now_ns
        self._drains += 1
        seconds = self._seconds(drain.now_ns)
        ahead_s, ahead_samples = seconds - self._mean_s, drain.samples - self._mean_samples
        share = 1 / self._drains
        self._mean_s += ahead_s * share
        self._mean_samples += ahead_samples * share
        self._times += ahead_s * ahead_s * (1 - share)
        self._product += ahead_s * ahead_samples * (1 - share)
        self._narrow(seconds, drain.samples)

    @property
    def rate_hz(self) -> float:
        """The estimate, or the nominal rate until there is one."""
        if self.spread > WORST_SPREAD:
            return self.nominal_hz
        measured = (self._product + self._earlier_product) / (self._times + self._earlier_times)
        # After a time without samples there is no rate to measure.
        return measured if measured > 0 else self.nominal_hz

    @property
    def spread(self) -> float:
        """Standard error of the estimate as a share of the rate; infinite at the beginning."""
        times = self._times + self._earlier_times
        return COUNT_SPREAD / math.sqrt(times) / self.nominal_hz if times > 0 else math.inf

    @property
    def newest_ns(self) -> int:
        """Time of the segment's newest sample, right to less than a sample period."""
        if self.samples == 0:
            return self._begun_ns
        middle = (self._earliest_s + self._latest_s) / 2
        return self._begun_ns + round((middle + self.samples / self.rate_hz) * 1e9)

    def lost_until(self, now_ns: int) -> int:
        """Number of samples that the sensor should have taken between its newest one and ``now_ns``."""
        return max(0, math.floor((now_ns - self.newest_ns) / 1e9 * self.rate_hz))

    def time_of_ns(self, samples: float) -> int:
        """Time at which the sensor will have taken ``samples`` samples more than so far."""
        return self.newest_ns + round(samples / self.rate_hz * 1e9)

    def _forget(self, seconds: float) -> None:
        keep = math.exp(-max(0.0, seconds) / MEMORY_S)
        self._times *= keep
        self._product *= keep
        self._drains *= keep
        self._earlier_times *= keep
        self._earlier_product *= keep

    def _seconds(self, now_ns: int) -> float:
        return (now_ns - self._begun_ns) / 1e9

    def _behind(self, drain: _Drain) -> bool:
        """Whether a drain lacks samples by a rate that is known well."""
        expected = (drain.now_ns - self._last_ns) / 1e9 * self.rate_hz
        lacking = (self._seconds(drain.now_ns) - self._latest_s) * self.rate_hz - drain.samples - 1
        return self.spread <= TRUSTED_SPREAD and lacking > SLACK_SAMPLES + self.spread * expected

    def _narrow(self, seconds: float, samples: int) -> None:
        """Narrow the bounds of the time of sample 0: at the drain, sample ``samples`` was there, the next was not."""
        period = 1 / self.rate_hz
        latest = seconds - samples * period
        earliest = latest - period
        # A changing estimate of the rate makes old bounds too tight: they are loosened slowly, and never cross.
        loosened = 1e-3 * period
        self._latest_s = min(self._latest_s + loosened, latest)
        self._earliest_s = max(self._earliest_s - loosened, earliest)
        crossed = (self._earliest_s - self._latest_s) * self.rate_hz
        if crossed <= 0:
            return
        if crossed > 2 * SLACK_SAMPLES or self.spread > TRUSTED_SPREAD:
            self._earliest_s, self._latest_s = earliest, latest
        else:
            # The new bound is right; the old one was loosened too slowly.
            self._earliest_s = self._latest_s = earliest if self._earliest_s == earliest else latest
