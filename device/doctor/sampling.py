"""A few seconds of sampling: the samples, the true rate, the losses, and the host's delays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError
from deseptr.device.clock import Clock
from deseptr.device.drivers.fifo_imu import FifoImu
from deseptr.device.drivers.imu import Gap
from deseptr.device.stream.timing import SampleClock

POLL_NS = 50_000_000


@dataclass(frozen=True, eq=False)
class Sampling:
    """The result of sampling a sensor.

    Args:
        signals: float32 ``[n, channel]`` in m/s^2 and rad/s.
        seconds: duration of the sampling, on the host's clock.
        nominal_hz: the rate that it was set to.
        rate_hz: the measured rate.
        rate_spread: standard error of the measured rate, as a share of it.
        jitter_samples: largest difference between the count of samples and that of a steady rate; below 1 for a perfect
            sensor, since drains fall between samples.
        late_s: largest delay of one of the host's polls, seconds.
        gaps: the gaps in the samples.
        lost_samples: number of samples lost in them, estimated from the clock.
        temperature_c: the chip's temperature at the end; None if it cannot tell.
    """

    signals: NDArray[np.float32]
    seconds: float
    nominal_hz: float
    rate_hz: float
    rate_spread: float
    jitter_samples: float
    late_s: float
    gaps: tuple[Gap, ...]
    lost_samples: int
    temperature_c: float | None


def sample(imu: FifoImu, clock: Clock, nominal_hz: float, seconds: float) -> Sampling:
    """Sample a configured sensor for ``seconds``.

    Raises:
        SensorError: if it fails.
    """
    poll_ns = min(POLL_NS, round(imu.capacity / 3 / nominal_hz * 1e9))
    imu.start()
    began_ns = clock.now_ns()
    watch = _Watch(nominal_hz, began_ns, len(imu.channels))
    try:
        while clock.now_ns() - began_ns < seconds * 1e9:
            planned_ns = clock.now_ns() + poll_ns
            clock.sleep_ns(poll_ns)
            watch.drain(imu, clock, planned_ns)
        return watch.result((clock.now_ns() - began_ns) / 1e9, imu.temperature_c())
    finally:
        with suppress(SensorError):
            imu.stop()


class _Watch:
    """Collects the figures while a sensor runs."""

    def __init__(self, nominal_hz: float, began_ns: int, channels: int) -> None:
        self._rate = SampleClock(nominal_hz)
        self._rate.begin(began_ns)
        self._pieces = [np.empty((0, channels), np.float32)]
        self._gaps: list[Gap] = []
        self._lost = 0
        self._late_ns = 0
        # Time and samples so far of every drain, a list for each stretch without a gap.
        self._drains: list[list[tuple[int, int]]] = [[]]

    def drain(self, imu: FifoImu, clock: Clock, planned_ns: int) -> None:
        self._late_ns = max(self._late_ns, clock.now_ns() - planned_ns)
        samples = imu.drain()
        if samples.gap is not None:
            self._gaps.append(samples.gap)
            self._lost += self._rate.lost_until(samples.gap.resumed_ns)
            self._rate.begin(samples.gap.resumed_ns)
            self._drains.append([])
        if len(samples.signals):
            self._rate.drained(samples.at_ns, len(samples.signals))
        self._drains[-1].append((samples.at_ns, self._rate.samples))
        self._pieces.append(samples.signals)

    def result(self, seconds: float, temperature_c: float | None) -> Sampling:
        return Sampling(
            signals=np.concatenate(self._pieces),
            seconds=seconds,
            nominal_hz=self._rate.nominal_hz,
            rate_hz=self._rate.rate_hz,
            rate_spread=self._rate.spread,
            jitter_samples=max(map(self._jitter, self._drains)),
            late_s=self._late_ns / 1e9,
            gaps=tuple(self._gaps),
            lost_samples=self._lost,
            temperature_c=temperature_c,
        )

    def _jitter(self, drains: list[tuple[int, int]]) -> float:
        if len(drains) < 2:
            return 0.0
        times_ns, counts = np.array(drains, np.float64).T
        off = counts - (times_ns - times_ns[0]) * (self._rate.rate_hz / 1e9)
        return float(np.abs(off - off.mean()).max())
