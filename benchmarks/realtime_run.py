"""Ten minutes at 200 Hz on a simulated 400 kHz bus, in real time: gaps, the loop's own time a hop, memory.

    python benchmarks/realtime_run.py > realtime_run.json

The chip lives by the machine's clock, so that a loop that comes too late meets a full FIFO; every transfer waits as
long as its bytes take on the wires. The model is the packaged one, reported that its rate is 200 Hz: its labels mean
nothing, its work is that of any model of its size. `overhead` is everything that the loop does for a hop besides
`invoke` and besides the bus, on which the simulated chip is played: driver, check of the chip's settings, sample clock,
windows, decision. It is processor time of the process. Peaks of memory hold the simulator too.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from timed_bus import TimedBus

from deseptr.device import (
    DecisionConfig,
    GapEvent,
    LabelTracker,
    Profiler,
    RecoveringImu,
    RecoveryEvent,
    Runtime,
    SystemClock,
    WindowEvent,
    default_model,
    describe_machine,
    make_sensor,
)
from deseptr.firmware_harness.simulator import SineSource, VirtualI2cBus
from deseptr.firmware_harness.simulator.chips.registry import CHIPS
from deseptr.tflite import TfliteEngine, read_tflite
from deseptr.tflite.runtimes import choose_runtime

RATE_HZ = 200.0


class TimedEngine:
    """A model that counts the processor time of its inferences."""

    def __init__(self, engine: TfliteEngine) -> None:
        self._engine = engine
        self.name, self.threads, self.contract = engine.name, engine.threads, engine.contract
        self.spent_ns = 0

    def invoke(self, window: np.ndarray) -> np.ndarray:
        begun = time.process_time_ns()
        logits = self._engine.invoke(window)
        self.spent_ns += time.process_time_ns() - begun
        return logits

    @property
    def embedding(self) -> np.ndarray | None:
        return self._engine.embedding


@click.command()
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True)
@click.option("--sensor", type=click.Choice(list(CHIPS)), default="mpu6050", show_default=True)
def main(minutes: float, sensor: str) -> None:
    """Run in real time and print JSON."""
    file = read_tflite(default_model())
    file = replace(file, contract=replace(file.contract, rate_hz=RATE_HZ))
    engine = TimedEngine(TfliteEngine(file, choose_runtime("auto")))
    device_kb = peak_kb()
    clock = SystemClock()
    source = SineSource(1.8, [3, 3, 3, 2, 2, 2], [0, 9.81, 0, 0, 0, 0])
    chip = CHIPS[sensor](source, clock)
    virtual = VirtualI2cBus({0x68 if sensor.startswith("mpu") else 0x6A: chip}, clock)
    bus = TimedBus(virtual)
    imu = RecoveringImu(make_sensor(sensor, bus, clock), clock)
    profiler = Profiler(capacity=100_000)
    contract = engine.contract
    tracker = LabelTracker(contract.labels, DecisionConfig(), contract.hop_s)
    runtime = Runtime(imu, engine, clock, profiler=profiler, tracker=tracker)
    figures = follow(runtime, minutes * 60, bus, engine)
    overhead = np.array(figures.pop("overhead_ns")) / 1000
    hop_us = contract.hop_s * 1e6
    p50, p99 = (float(np.percentile(overhead, share)) for share in (50, 99))
    result = {
        "minutes": minutes,
        "sensor": sensor,
        "rate_hz": runtime.rate_hz,
        "bus_hz": virtual.profile.clock_hz,
        **figures,
        "hop_ms": contract.hop_s * 1e3,
        "overhead_us": {"p50": p50, "p99": p99, "max": float(overhead.max()), "p99_share_of_hop": p99 / hop_us},
        "stages": profiler.stages(),
        "wakeup_jitter": profiler.wakeup_jitter(),
        "deadlines_missed": profiler.deadlines_missed,
        "peak_rss_mb": {"with_model_loaded": device_kb / 1024, "at_the_end_with_simulator": peak_kb() / 1024},
        "machine": {**describe_machine(), "engine": engine.name, "load_average": os.getloadavg()[0]},
    }
    json.dump(result, sys.stdout, indent=2)


def follow(runtime: Runtime, seconds: float, bus: TimedBus, engine: TimedEngine) -> dict:
    """Run; counts of events, and the loop's own processor time between two labels."""
    windows = gaps = recoveries = 0
    overhead, before = [], None
    begun = time.monotonic()
    for event in runtime.events(seconds):
        if isinstance(event, WindowEvent):
            windows += 1
            spent = time.process_time_ns() - bus.spent_ns - engine.spent_ns
            if before is not None:
                overhead.append(spent - before)
            before = spent
        gaps += isinstance(event, GapEvent)
        recoveries += isinstance(event, RecoveryEvent)
    return {
        "seconds": time.monotonic() - begun,
        "windows": windows,
        "gaps": gaps,
        "recoveries": recoveries,
        "overhead_ns": overhead,
    }


def peak_kb() -> int:
    """Peak resident memory of this process, KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(
        (int(line.split()[1]) for line in lines if line.startswith("VmHWM")),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    )


if __name__ == "__main__":
    main()
