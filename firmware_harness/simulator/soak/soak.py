"""A soak test: a long run under faults that checks for unreported losses, corrupted samples and late recoveries.

The sensor measures a :func:`counting_source`, so that every delivered sample can be compared with the generated one.
Recovery and runtime are those of the wearable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, SensorError, StftSpec, channels_of, units_of
from deseptr.device import SENSORS, Event, GapEvent, ImuConfig, RecoveryEvent, Runtime, WindowEvent, make_sensor
from deseptr.firmware_harness.simulator.bus_profiles import BCM2835, BusProfile
from deseptr.firmware_harness.simulator.chips.registry import make_chip
from deseptr.firmware_harness.simulator.clock import VirtualClock
from deseptr.firmware_harness.simulator.faults.fault import Fault
from deseptr.firmware_harness.simulator.faults.injector import FaultInjector, LoggedFault
from deseptr.firmware_harness.simulator.sources.counting import CountingSource, counting_source
from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

from .sample_ledger import LedgerEngine, LedgerImu, SampleLedger

DAY_S = 86_400
NOMINAL_HZ = 50.0
WINDOW, HOP = 150, 75
SHARE_IN_TIME = 0.99
PAGE_MIB = 4096 / 2**20


@dataclass(frozen=True, slots=True)
class RecoveryTimes:
    """Recovery from the faults of one kind.

    Args:
        count: number of faults.
        overlapped: number of faults that another one followed before samples came again.
        in_time: share of the others with a delivered sample that was taken within one hop of the fault's end.
        median_s: median of the time from a fault's end to the first delivered sample taken after it.
        worst_s: maximum of that time.
    """

    count: int
    overlapped: int
    in_time: float
    median_s: float
    worst_s: float


@dataclass(slots=True)
class SoakResult:
    """Result of a soak test.

    Args:
        sensor: the chip.
        duration_s: duration, in the sensor's time.
        hop_s: hop of the windows.
        delivered: number of samples delivered.
        generated: samples that a sensor without faults gives from the first to the last delivered one.
        reported_lost: samples reported as lost.
        gaps: number of gaps.
        wrong_gaps: gaps reported wrong by more than one sample.
        worst_gap: largest error of a gap, in samples.
        jumps: number of places without a gap where samples are missing or doubled.
        corrupted: number of delivered samples that the source never generated.
        undetectable: number of reads of FIFO data with a bit flipped on the wires, which no driver can detect.
        windows: number of windows classified.
        torn: number of windows that span a gap.
        drift_s: largest difference of a window's reported time from its true one.
        rungs: number of times that each recovery step was taken.
        recoveries: recovery times by kind of fault.
        gave_up: why the run ended early, or None.
        memory_mib: resident memory at the end of each day.
    """

    sensor: str
    duration_s: float
    hop_s: float
    delivered: int = 0
    generated: float = 0.0
    reported_lost: int = 0
    gaps: int = 0
    wrong_gaps: int = 0
    worst_gap: int = 0
    jumps: int = 0
    corrupted: int = 0
    undetectable: int = 0
    windows: int = 0
    torn: int = 0
    drift_s: float = 0.0
    rungs: dict[str, int] = field(default_factory=dict)
    recoveries: dict[str, RecoveryTimes] = field(default_factory=dict)
    gave_up: str | None = None
    memory_mib: list[float] = field(default_factory=list)

    @property
    def in_time(self) -> float:
        """Share of all faults that were recovered from within one hop."""
        judged = [(recovery.count - recovery.overlapped, recovery.in_time) for recovery in self.recoveries.values()]
        total = sum(count for count, _ in judged)
        return sum(count * share for count, share in judged) / total if total else 1.0

    def violations(self) -> list[str]:
        """One line for each requirement that the run does not meet; empty if it meets all."""
        requirements = {
            f"gave up: {self.gave_up}": self.gave_up is None,
            f"{self.wrong_gaps} of {self.gaps} gaps reported wrong by more than a sample": self.wrong_gaps == 0,
            f"delivered {self.delivered} and lost {self.reported_lost} of {self.generated:.0f}": self._sums_up(),
            f"{self.jumps} times samples missing or doubled without a gap": self.jumps == 0,
            f"{self.corrupted} corrupted samples for {self.undetectable} undetectable bit flips": self.corrupted
            <= self.undetectable,
            f"{self.torn} windows across a gap": self.torn == 0,
            f"{self.in_time:.2%} of faults recovered from within a hop": self.in_time >= SHARE_IN_TIME,
            f"memory grew from {self.memory_mib[:1]} to {self.memory_mib[-1:]} MiB": self._flat(),
        }
        return [violation for violation, met in requirements.items() if not met]

    def to_dict(self) -> dict[str, Any]:
        """For reports."""
        return asdict(self) | {"in_time": self.in_time, "violations": self.violations()}

    def _sums_up(self) -> bool:
        return abs(self.delivered + self.reported_lost - self.generated) <= self.gaps

    def _flat(self) -> bool:
        return len(self.memory_mib) < 2 or self.memory_mib[-1] < self.memory_mib[0] + 8


def run_soak(
    faults: Sequence[Fault],
    duration_s: float,
    *,
    sensor: str = "mpu6050",
    seed: int = 0,
    profile: BusProfile = BCM2835,
    progress: Callable[[float], None] = lambda seconds: None,
) -> SoakResult:
    """Run a sensor and the runtime for ``duration_s`` of virtual time under ``faults``.

    Args:
        faults: the declared faults.
        duration_s: duration of the run, in the sensor's time.
        sensor: the chip.
        seed: seed of the random details of the faults.
        profile: the bus's controller.
        progress: called with the sensor's time in seconds at the end of each day.

    >>> run_soak([], duration_s=60).violations()
    []
    """
    return _SoakRun(faults, duration_s, sensor, seed, profile).run(progress)


class _SoakRun:
    def __init__(self, faults: Sequence[Fault], duration_s: float, sensor: str, seed: int, profile: BusProfile) -> None:
        self._clock = VirtualClock()
        self._injector = FaultInjector(faults, seed)
        rate_hz, period_ns = true_rate(sensor)
        self._period_ns = period_ns
        channels = channels_of(("acc", "gyro") if SENSORS[sensor].gyro_lsb_per_dps else ("acc",))
        contract = ModelContract(
            labels=("still", "moving"),
            channels=channels,
            units=units_of(channels),
            input_range=(40.0,) * len(channels),
            rate_hz=rate_hz,
            window_length=WINDOW,
            hop_length=HOP,
            stft=StftSpec(16, 8, 2),
        )
        source = counting_source(len(channels))
        self._chip = make_chip(sensor, source, self._clock)
        bus = VirtualI2cBus({SENSORS[sensor].addresses[0]: self._chip}, self._clock, profile, self._injector)
        self._imu = LedgerImu(make_sensor(sensor, bus, self._clock), self._clock)
        self._ledger = self._imu.ledger = SampleLedger(period_ns, source.times_of)
        self._engine = LedgerEngine(contract, period_ns, source.times_of)
        self._report = SoakResult(sensor, duration_s, contract.hop_s)
        self._rungs: Counter[str] = Counter()
        self._next_day_ns = DAY_S * 10**9

    def run(self, progress: Callable[[float], None]) -> SoakResult:
        report = self._report
        try:
            runtime = Runtime(self._imu, self._engine, self._clock)
            for event in runtime.events(report.duration_s):
                self._note(event)
                if self._clock.now_ns() >= self._next_day_ns:
                    self._end_day(progress)
        except SensorError as error:
            report.gave_up = str(error)
        self._injector.finish()
        self._sum_up()
        return report

    def _note(self, event: Event) -> None:
        if isinstance(event, GapEvent):
            if self._ledger.gaps:
                self._ledger.report(event.lost_samples)
            self._report.reported_lost += event.lost_samples
        elif isinstance(event, RecoveryEvent):
            self._rungs[event.rung] += 1
        elif isinstance(event, WindowEvent) and self._engine.begin_ns >= 0:
            if self._ledger.first_ns is None:
                self._ledger.settle()
            true_ns = self._engine.begin_ns - (self._ledger.first_ns or 0)
            drift_s = abs(event.sample * self._period_ns - true_ns) / 1e9
            self._report.drift_s = max(self._report.drift_s, drift_s)

    def _end_day(self, progress: Callable[[float], None]) -> None:
        self._report.memory_mib.append(round(resident_mib(), 1))
        progress(self._next_day_ns / 1e9)
        self._next_day_ns += DAY_S * 10**9

    def _sum_up(self) -> None:
        report, ledger = self._report, self._ledger
        ledger.settle()
        errors = [ledger.error(gap) for gap in ledger.closed_gaps]
        report.delivered, report.jumps, report.corrupted = ledger.delivered, ledger.jumps, ledger.corrupted
        if ledger.first_ns is not None and ledger.last_ns is not None:
            report.generated = (ledger.last_ns - ledger.first_ns) / self._period_ns + 1
        report.reported_lost = sum(gap.reported for gap in ledger.closed_gaps)
        report.gaps, report.wrong_gaps = len(errors), len(ledger.wrong_gaps())
        report.worst_gap = max(errors, default=0)
        report.undetectable = sum(e.fifo_reads for e in self._injector.log.of_kind("bit-flip-read"))
        report.windows, report.torn = self._engine.windows, self._engine.torn
        report.rungs = dict(self._rungs)
        begun_ns = self._chip.source_begun_ns
        if begun_ns is not None and ledger.first_ns is not None:
            report.recoveries = _recoveries(self._injector.log.entries, ledger, begun_ns, report.hop_s)


def true_rate(sensor: str) -> tuple[float, int]:
    """A chip's rate next to 50 Hz, and the period that it then really has, in Hz and ns."""
    clock = VirtualClock()
    chip = make_chip(sensor, CountingSource(), clock)
    imu = make_sensor(sensor, VirtualI2cBus({SENSORS[sensor].addresses[0]: chip}, clock), clock)
    settings = imu.configure(ImuConfig(NOMINAL_HZ, 4, 500))
    return settings.rate_hz, chip.true_period_ns


def resident_mib() -> float:
    """Memory of this process that is in RAM, in MiB; Linux only."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MIB


def _recoveries(
    log: Sequence[LoggedFault], ledger: SampleLedger, begun_ns: int, hop_s: float
) -> dict[str, RecoveryTimes]:
    ended = [entry for entry in log if entry.end_ns is not None]
    ends = np.array([entry.end_ns for entry in ended], np.int64)
    begins = np.sort(np.array([entry.begin_ns for entry in log], np.int64))
    back_ns = ledger.first_after(ends - begun_ns) + begun_ns
    # A fault that begins when another one ends is its successor; a fault without duration is not its own successor.
    own = np.array([entry.begin_ns == entry.end_ns for entry in ended])
    after = np.where(own, np.searchsorted(begins, ends, side="right"), np.searchsorted(begins, ends, side="left"))
    next_ns = np.where(after < len(begins), begins[np.minimum(after, len(begins) - 1)], np.inf)
    kinds = np.array([entry.fault.kind for entry in ended])
    return {
        str(kind): _recovery((back_ns - ends)[kinds == kind] / 1e9, (back_ns > next_ns)[kinds == kind], hop_s)
        for kind in dict.fromkeys(kinds.tolist())
    }


def _recovery(took_s: NDArray[np.float64], overlapped: NDArray[np.bool_], hop_s: float) -> RecoveryTimes:
    # The last faults may have no sample after them, since the run ended.
    judged = took_s[~overlapped & np.isfinite(took_s)]
    if not len(judged):
        return RecoveryTimes(len(took_s), len(took_s), 1.0, 0.0, 0.0)
    return RecoveryTimes(
        len(took_s),
        len(took_s) - len(judged),
        float((judged <= hop_s).mean()),
        round(float(np.median(judged)), 4),
        round(float(judged.max()), 4),
    )
