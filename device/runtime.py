"""The loop on the wearable: drain the sensor, assemble windows, classify, decide.

It turns a sensor and a model into a stream of events and knows nothing of terminals, files or command lines.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SensorError, columns_of
from deseptr.tflite.engine import Engine

from .alarms.watch import EventWatch
from .clock import Clock
from .contract_check import check_fit
from .drained import Drained
from .drivers.imu import Gap, ImuConfig, ImuSettings, Samples
from .events import Event, GapEvent, RateEvent, RecoveryEvent
from .label.tracker import LabelTracker
from .label.unknown import UnknownJudge
from .latency import Profiler, WindowTimes
from .mounting.watch import MountingWatch
from .personal.switch import WearerSwitch
from .recovery import RecoveringImu, never_ended
from .stream.stream import RATE_TOLERANCE, SampleStream
from .window_classifier import WindowClassifier

# A sensor that hangs or was reset must be recovered within the hop, however much its FIFO can hold.
LONGEST_POLL_S = 0.4
# Time between polls during a recovery, which makes its own pauses.
LOST_POLL_NS = 100_000_000


def _nothing(*_: object) -> None:
    return


class Runtime:
    """Runs a model on a sensor, whose samples may have more channels: the model's are taken by name.

    The constructor identifies and configures the sensor; :meth:`events` samples and classifies.

    Args:
        imu: the sensor, with its recovery.
        engine: the model.
        clock: the sensor's clock, for polling and for the size of gaps.
        profiler: records the durations of every window.
        tracker: decides on labels; without it, windows are only classified.
        ended: called before each poll; once true, the FIFO is drained for a last time and the events end.
        heartbeat: called whenever samples came, and only then, so that a watchdog fed by it expires without samples.
        timer: host time in nanoseconds, for latencies.
        rate_tolerance: largest relative difference of the sensor's rate from the model's at which it is not resampled.
        watch: raises alarms; None if no class is an event.
        unknown: decides which windows have no label; None if all have one.
        mounting: corrects windows for a turned sensor; None if they are classified as measured.
        wearers: changes the wearer between two windows; None if nobody may.
        drift: whether windows are measured for a :class:`deseptr.device.DriftWatch`.
        on_samples: called after each read of the sensor with what it brought; it must not take long.

    Raises:
        SensorError: if the sensor does not answer, is another chip, or does not fit the model.
    """

    def __init__(
        self,
        imu: RecoveringImu,
        engine: Engine,
        clock: Clock,
        *,
        profiler: Profiler | None = None,
        tracker: LabelTracker | None = None,
        ended: Callable[[], bool] = never_ended,
        heartbeat: Callable[[], None] = _nothing,
        timer: Callable[[], int] = time.perf_counter_ns,
        rate_tolerance: float = RATE_TOLERANCE,
        watch: EventWatch | None = None,
        unknown: UnknownJudge | None = None,
        mounting: MountingWatch | None = None,
        wearers: WearerSwitch | None = None,
        drift: bool = True,
        on_samples: Callable[[Drained], None] = _nothing,
    ) -> None:
        self._imu = imu
        self._clock = clock
        self._profiler = profiler or Profiler(capacity=1)
        self._classifier = WindowClassifier(engine, tracker, timer, watch, unknown, mounting, wearers, drift=drift)
        self._ended = ended
        self._heartbeat = heartbeat
        self._on_samples = on_samples
        self._timer = timer
        self._contract = contract = engine.contract
        self.settings: ImuSettings = imu.set_up(ImuConfig.from_contract(contract))
        check_fit(imu.name, self.settings, contract)
        if unknown is not None:
            unknown.measured_in(self.settings.acc_count)
        columns = columns_of(contract.channels, self.settings.channels, imu.name)
        self._columns = columns if contract.channels != self.settings.channels else None
        self._stream = SampleStream(contract, self.settings.rate_hz, imu.name, rate_tolerance)
        self._hop_ns = round(contract.hop_s * 1e9)
        self._times = WindowTimes()
        self._period_ns = round(1e9 / self.settings.rate_hz)
        self._longest_poll = max(1, math.floor(LONGEST_POLL_S * self.settings.rate_hz))

    @property
    def rate_hz(self) -> float:
        """The sensor's rate as measured so far."""
        return self._stream.clock.rate_hz

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """Sample and classify for ``seconds``, or until ``ended`` or the caller stops; then put the sensor to sleep.

        Raises:
            UnhealthyError: if the sensor gives no samples for longer than the recovery's ``patience_s``.
            SensorError: if its measured rate cannot be resampled to the model's.
        """
        self._imu.start()
        begun_ns = self._clock.now_ns()
        self._stream.begin(begun_ns)
        limit_ns = sys.maxsize if seconds is None else begun_ns + round(seconds * 1e9)
        try:
            while not self._ended() and self._clock.now_ns() < limit_ns:
                due_ns = min(self._next_poll_ns(), limit_ns)
                self._clock.sleep_ns(due_ns - self._clock.now_ns())
                self._profiler.woke(self._clock.now_ns() - due_ns)
                yield from self._poll()
            yield from self._poll()
            if self._imu.lost is not None:
                yield self._gap(Gap(self._imu.lost, self._clock.now_ns()))
            yield from self._classifier.end(self._now(), "the samples ended")
        finally:
            with suppress(SensorError):
                self._imu.stop()

    def _next_poll_ns(self) -> int:
        """Time of the next window's last sample, or an earlier one, in equal steps, before the FIFO is half full."""
        now_ns = self._clock.now_ns()
        if self._imu.lost is not None:
            return now_ns + LOST_POLL_NS
        wanted = self._stream.wanted
        polls = math.ceil(wanted / min(self._imu.capacity // 2, self._longest_poll))
        # Half a sample late rather than early, since the time of a sample is known to within one period.
        due_ns = self._stream.clock.time_of_ns(wanted / max(1, polls) + 0.5)
        return max(due_ns, now_ns + self._period_ns)

    def _poll(self) -> Iterator[Event]:
        began = self._timer()
        try:
            samples = self._imu.drain()
        except SensorError:
            # The steps are reported even if they did not help.
            yield from self._recoveries()
            yield from self._classifier.end(self._now(), "the sensor was lost")
            raise
        read = self._timer()
        if len(samples.signals):
            self._heartbeat()
        yield from self._recoveries()
        reason, lost = None, 0
        if samples.gap is not None:
            gap = self._gap(samples.gap)
            reason, lost = gap.reason, gap.lost_samples
            yield gap
        if self._imu.lost is None:
            yield from self._note_drain(samples)
        channels, count = self.settings.channels, self.settings.acc_count
        self._on_samples(Drained(self._now(), samples.signals, channels, self.rate_hz, reason, lost, count))
        signals = samples.signals if self._columns is None else samples.signals[:, self._columns]
        yield from self._classify_all(signals, began, read)
        yield from self._classifier.answered(self._now())

    def _classify_all(self, signals: NDArray[np.float32], began: int, read: int) -> Iterator[Event]:
        times = self._times
        times.read_ns = read - began
        # The caller's time with an event must not count as latency of the next.
        mark = self._timer()
        polled, began = began, began + mark - read
        resampled = self._stream.resample(signals)
        newest = self._stream.newest + len(resampled)
        times.resample_ns = self._timer() - mark if self._stream.resampled else 0
        mark += times.resample_ns
        for window in self._stream.windows(resampled):
            # The newest sample was taken within the sample period before the poll.
            wait_ns = round((newest - window.end + 0.5) / self._contract.rate_hz * 1e9)
            times.window_ns = self._timer() - mark
            events = self._classifier.classify(window, self._stream.seconds(window.end), began, times)
            decided = began + times.end_to_end_ns
            times.sensor_to_label_ns = wait_ns + decided - polled
            times.deadline_missed = times.sensor_to_label_ns > self._hop_ns
            self._profiler.record(times)
            yield from events
            mark = self._timer()
            began += mark - decided

    def _recoveries(self) -> Iterator[RecoveryEvent]:
        for step in self._imu.take_steps():
            yield RecoveryEvent(self._now(), step.rung, step.cause, step.count)

    def _note_drain(self, samples: Samples) -> Iterator[RateEvent]:
        lock = self._stream.note_drain(samples.at_ns, len(samples.signals))
        if lock is not None:
            yield RateEvent(self._now(), lock.rate_hz, lock.nominal_hz, lock.resampled)

    def _gap(self, gap: Gap) -> GapEvent:
        lost = self._stream.gap(gap.resumed_ns)
        self._classifier.gap()
        return GapEvent(self._now(), gap.reason, lost)

    def _now(self) -> float:
        return self._stream.seconds(self._stream.received)
