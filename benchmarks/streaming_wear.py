"""Hours of wear at a small hop on a simulated sensor that is torn off now and then, by columns and by whole windows.

    python benchmarks/streaming_wear.py > benchmarks/streaming_wear.json

The loop of `device run` in virtual time: driver, recovery, windows, decision, each way in its own process. Power of the
chip fails `--gaps` times at moments drawn from the seed. `gaps` are those that the loop reported, `of_their_own` those
without a failure; `late` are gaps after which the first window did not begin with the first sample. Both ways have the
same events if their `digest` is the same. `device_s_per_hour` is processor time of everything but the simulated chip
and its bus. Prints JSON.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import click
import numpy as np
from timed_bus import TimedBus

from deseptr.contract import DecisionConfig
from deseptr.device import (
    GapEvent,
    LabelTracker,
    RecoveringImu,
    Runtime,
    WindowEvent,
    default_model,
    describe_machine,
    make_sensor,
)
from deseptr.device.profile.usage import process_memory
from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.chips.registry import make_chip
from deseptr.firmware_harness.simulator.faults.chip_faults import BrownOut
from deseptr.firmware_harness.simulator.sources.synthetic import WearerSource
from deseptr.tflite import at_hop, embed_contract, load_engine, read_tflite, without_archive

SENSOR, ADDRESS = "mpu6050", 0x68
# Time between failures, so that the stream is whole again before the next, and how long one lasts.
APART_S, LASTS_S = 30.0, 1.0


@click.command()
@click.option("--hours", type=click.FloatRange(0.05), default=6.0, show_default=True, help="In virtual time.")
@click.option("--hop", type=click.FloatRange(0.02), default=0.16, show_default=True, help="Seconds.")
@click.option("--gaps", type=click.IntRange(1), default=60, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def main(hours: float, hop: float, gaps: int, seed: int) -> None:
    """Wear the packaged model both ways and print JSON."""
    failures = drawn(np.random.default_rng(seed), hours * 3600, gaps)
    model = read_tflite(default_model())
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "whole.tflite"
        plain.write_bytes(embed_contract(without_archive(model.content), model.contract))
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
            worn = pool.map(wear, (model.path, plain), repeat(hours), repeat(hop), repeat(failures))
            ways = dict(zip(("columns", "whole"), worn, strict=False))
    result = {
        "hours": hours,
        "hop_s": hop,
        "failures": gaps,
        "seed": seed,
        "sensor": SENSOR,
        "same_events": ways["columns"]["digest"] == ways["whole"]["digest"],
        "ways": ways,
        "machine": {**describe_machine(), "load_average": os.getloadavg()[0]},
    }
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")


def drawn(rng: np.random.Generator, seconds: float, count: int) -> list[BrownOut]:
    """Failures of the chip's power, far enough apart."""
    free = seconds - (count + 1) * APART_S
    if free < 0:
        raise click.UsageError(f"--gaps {count} do not fit into the time, {APART_S:.0f} s apart")
    times = np.sort(rng.uniform(0, free, count)) + APART_S * (1 + np.arange(count))
    return [BrownOut(at_s=float(at_s), duration_s=LASTS_S) for at_s in times]


def wear(path: Path, hours: float, hop: float, failures: list[BrownOut]) -> dict[str, Any]:
    """What came of it, with one of the models."""
    clock, engine = VirtualClock(), at_hop(load_engine(path), hop)
    contract = engine.contract
    chip = make_chip(SENSOR, WearerSource(rate_hz=contract.rate_hz), clock)
    bus = TimedBus(VirtualI2cBus({ADDRESS: chip}, clock, faults=failures))
    imu = RecoveringImu(make_sensor(SENSOR, bus, clock), clock)
    runtime = Runtime(imu, engine, clock, tracker=LabelTracker(contract.labels, DecisionConfig(), hop))
    windows = gaps = own = late = 0
    waiting: float | None = None
    digest, resident = hashlib.sha256(), []
    due_s, spent_ns = 0.0, 0
    begun, before_bus = time.process_time_ns(), bus.spent_ns
    for event in runtime.events(hours * 3600):
        spent_ns += time.process_time_ns() - begun
        if isinstance(event, GapEvent):
            gaps, waiting = gaps + 1, event.t
            now_s = clock.now_ns() / 1e9
            own += not any(fault.at_s <= now_s <= fault.at_s + LASTS_S + APART_S / 2 for fault in failures)
        elif isinstance(event, WindowEvent):
            windows += 1
            late += waiting is not None and round(waiting * contract.rate_hz) != event.sample
            waiting = None
            told = event.to_dict()
            digest.update(json.dumps([told["t"], told["probabilities"], told.get("state")]).encode())
            if event.t >= due_s:
                resident.append(process_memory().resident // 1024)
                due_s += 1800.0
        begun = time.process_time_ns()
    device_ns = spent_ns - (bus.spent_ns - before_bus)
    return {
        "windows": windows,
        "gaps": gaps,
        "of_their_own": own,
        "late": late,
        "device_s_per_hour": round(device_ns / 1e9 / hours, 2),
        "simulation_s_per_hour": round((bus.spent_ns - before_bus) / 1e9 / hours, 2),
        "resident_kb": resident,
        "resident_growth_kb": resident[-1] - resident[min(2, len(resident) - 1)],
        "digest": digest.hexdigest()[:16],
    }


if __name__ == "__main__":
    main()
