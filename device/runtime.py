"""The loop on the wearable: drain the sensor, assemble windows, classify, decide.

It turns a sensor and a model into a stream of events and knows nothing of terminals, files or command lines.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from deseptr.contract import SensorError

from .clock import Clock
from .decide import decide
from .engine import Engine
from .events import Event, GapEvent, WindowEvent
from .fit import check_fit
from .imu import Gap, Imu, ImuConfig, ImuSettings
from .profiler import Profiler, WindowTimes
from .windows import Window, WindowAssembler


def _never() -> bool:
    return False


class Runtime:
    """A sensor and a model joined.

    Making one identifies and configures the sensor; :meth:`events` runs it.

    Args:
        imu: the sensor.
        engine: the model.
        clock: the clock that the sensor lives by, for polling and for the size of gaps.
        profiler: takes the durations of every window.
        ended: asked before each poll; once it says yes, the FIFO is drained once more and the events end.
        timer: host time in nanoseconds, for latencies.
        rate_tolerance: largest relative difference of the sensor's rate from the model's.
        silence_s: how long no sample may come before the sensor counts as dead.

    Raises:
        SensorError: if the sensor does not answer, is another chip, or does not fit the model.
    """

    def __init__(
        self,
        imu: Imu,
        engine: Engine,
        clock: Clock,
        *,
        profiler: Profiler | None = None,
        ended: Callable[[], bool] = _never,
        timer: Callable[[], int] = time.perf_counter_ns,
        rate_tolerance: float = 0.02,
        silence_s: float = 2.0,
    ) -> None:
        self._imu = imu
        self._engine = engine
        self._clock = clock
        self._profiler = profiler or Profiler(capacity=1)
        self._ended = ended
        self._timer = timer
        contract = engine.contract
        imu.identify()
        self.settings: ImuSettings = imu.configure(ImuConfig.from_contract(contract))
        check_fit(imu.name, self.settings, contract, rate_tolerance)
        self._assembler = WindowAssembler(contract.window_length, contract.hop_length, len(contract.channels))
        self.poll_period_ns = poll_period_ns(contract.hop_length, imu.capacity, self.settings.rate_hz)
        self._hop_ns = round(contract.hop_length / self.settings.rate_hz * 1e9)
        self._silence_s = silence_s
        self._drained_ns = 0
        self._heard_ns = 0
        self._times = WindowTimes()

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """Sample and classify for ``seconds``, or until ``ended`` or the caller stops; then put the sensor to sleep.

        Raises:
            SensorError: if the bus fails, or no sample comes for too long.
        """
        self._imu.start()
        self._drained_ns = self._heard_ns = self._clock.now_ns()
        limit_ns = math.inf if seconds is None else self._drained_ns + seconds * 1e9
        try:
            while not self._ended() and self._clock.now_ns() < limit_ns:
                due_ns = self._clock.now_ns() + self.poll_period_ns
                self._clock.sleep_ns(self.poll_period_ns)
                self._profiler.woke(self._clock.now_ns() - due_ns)
                yield from self._poll()
            yield from self._poll()
        finally:
            with suppress(SensorError):
                self._imu.stop()

    def _poll(self) -> Iterator[Event]:
        drained_ns = self._clock.now_ns()
        began = self._timer()
        samples = self._imu.drain()
        read = self._timer()
        if samples.gap is not None:
            yield self._note_gap(samples.gap)
        else:
            self._drained_ns = drained_ns
            self._check_silence(len(samples.signals))
        self._times.read_ns = read - began
        polled, newest = began, self._assembler.received + len(samples.signals) - 1
        # What the caller does with an event is not the latency of the next.
        mark = self._timer()
        began += mark - read
        for window in self._assembler.push(samples.signals):
            # The newest sample came at some time within the sample period before the poll.
            wait_ns = round((newest - window.end + 0.5) / self.settings.rate_hz * 1e9)
            event, done = self._classify(window, wait_ns - polled, mark, began)
            yield event
            mark = self._timer()
            began += mark - done

    def _classify(self, window: Window, since_sample: int, mark: int, began: int) -> tuple[WindowEvent, int]:
        """Classify a window; ``since_sample`` plus the timer is the time since its last sample."""
        ready = self._timer()
        logits = self._engine.invoke(window.samples)
        invoked = self._timer()
        decision = decide(logits, self._engine.contract.labels)
        decided = self._timer()
        times = self._times
        times.window_ns, times.invoke_ns, times.decide_ns = ready - mark, invoked - ready, decided - invoked
        times.end_to_end_ns = decided - began
        times.sensor_to_label_ns = since_sample + decided
        times.deadline_missed = times.sensor_to_label_ns > self._hop_ns
        self._profiler.record(times)
        event = WindowEvent(
            t=window.end / self.settings.rate_hz,
            label=decision.label,
            confidence=decision.confidence,
            probabilities=dict(zip(self._engine.contract.labels, decision.probabilities.tolist(), strict=True)),
            latency_us=(decided - began) / 1000.0,
            sample=window.start,
        )
        return event, decided

    def _check_silence(self, samples: int) -> None:
        now_ns = self._clock.now_ns()
        if samples:
            self._heard_ns = now_ns
        elif now_ns - self._heard_ns > self._silence_s * 1e9 and not self._ended():
            # A chip that lost its power for a moment wakes up asleep: it answers, but never samples.
            raise SensorError(
                self._imu.name,
                found=f"no sample for {(now_ns - self._heard_ns) / 1e9:.1f} s",
                expected=f"{self.settings.rate_hz:g} a second",
                next_step="check its power supply, and start again",
            )

    def _note_gap(self, gap: Gap) -> GapEvent:
        # From the last good drain, not from the start: the sensor's oscillator drifts against ours.
        lost_s = (gap.resumed_ns - self._drained_ns) / 1e9
        lost = max(0, round(lost_s * self.settings.rate_hz))
        self._drained_ns = self._heard_ns = gap.resumed_ns
        self._assembler.gap(lost)
        return GapEvent(self._assembler.received / self.settings.rate_hz, gap.reason, lost)


def poll_period_ns(hop_length: int, capacity: int, rate_hz: float) -> int:
    """How often to drain: four times a hop, and before the FIFO is a third full; nanoseconds."""
    samples = max(1.0, min(hop_length / 4, capacity / 3))
    return round(samples / rate_hz * 1e9)
