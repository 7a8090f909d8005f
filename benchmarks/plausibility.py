"""How often are people refused as implausible, how soon is a fault, and what does judging a window cost?

    python benchmarks/plausibility.py ../shared/data -o benchmarks/plausibility.json

The recordings of each data set are streamed whole, unlabelled stretches too, at their own rate and full scale, in
windows of 2.56 s that begin every 1.28 s, with accelerometer and gyroscope and with the accelerometer alone. Then
faults are put into the same recordings, and signals that nobody can wear are made with the noise of a chip.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, STANDARD_GRAVITY
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.device import Window, describe_machine
from deseptr.device.plausibility import Plausibility
from deseptr.firmware_harness.simulator import RestingSource
from deseptr.tflite.interleaved import pair, time_interleaved

SETS = ("hapt", "motionsense", "sisfall")
WINDOW_S = 2.56
SECONDS, RATE_HZ = 60, 50.0
Signals = NDArray[np.float32]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz, motionsense.npz and sisfall.npz")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    people, faults = {}, {}
    for name in SETS:
        dataset = load_dataset(chosen.data / f"{name}.npz")
        people[name] = {"six": refused(dataset, CHANNELS), "acc": refused(dataset, CHANNELS[:3])}
        faults[name] = {title: found(dataset, fault) for title, fault in FAULTS.items()}
    rng = np.random.default_rng(0)
    made = {title: make(rng) for title, make in ABSURD.items()}
    absurd = {title: {"six": first(each, CHANNELS), "acc": first(each, CHANNELS[:3])} for title, each in made.items()}
    result = {"window_s": WINDOW_S, "seconds": SECONDS}
    result |= {"people": people, "faults": faults, "absurd": absurd, "cost_us": cost(rng), "machine": machine()}
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")


def verdicts(signals: Signals, rate_hz: float, channels: tuple[str, ...]) -> Iterator[tuple[int, str | None]]:
    """The end of each window of a stream, in samples, and what was found there."""
    length = round(WINDOW_S * rate_hz)
    judge = Plausibility(channels, rate_hz, length)
    for start in range(0, len(signals) - length + 1, length // 2):
        yield start + length, judge.judge(Window(start, signals[start : start + length, : len(channels)]))


def refused(dataset: Dataset, channels: tuple[str, ...]) -> dict[str, Any]:
    """Counts of windows of people, by finding, and by label where any was refused."""
    findings: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    windows = 0
    for recording in dataset.recordings:
        for end, finding in verdicts(recording.signals, recording.rate_hz, channels):
            windows += 1
            if finding:
                findings[finding] += 1
                labels[_label(dataset, recording, end)] += 1
    return {
        "windows": windows,
        "refused": findings.total(),
        "share": findings.total() / windows,
        "findings": dict(findings),
        "labels": dict(labels),
    }


def _label(dataset: Dataset, recording: Recording, end: int) -> str:
    label = int(recording.labels[end - round(WINDOW_S * recording.rate_hz / 2)])
    return dataset.label_names[label] if label >= 0 else "unlabelled"


def found(dataset: Dataset, fault: Callable[[Signals], Signals]) -> dict[str, Any]:
    """Share of the recordings, and of their windows, in which a fault is found."""
    recordings = windows = refused_windows = refused_recordings = 0
    for recording in dataset.recordings:
        findings = [finding for _, finding in verdicts(fault(recording.signals), recording.rate_hz, CHANNELS)]
        recordings += bool(findings)
        windows += len(findings)
        refused_windows += sum(finding is not None for finding in findings)
        refused_recordings += any(findings)
    return {"recordings": refused_recordings / recordings, "windows": refused_windows / windows}


def first(signals: Signals, channels: tuple[str, ...]) -> dict[str, Any]:
    """When a stream is first refused, seconds, why, and in which share of its windows."""
    ends = [(end, finding) for end, finding in verdicts(signals, RATE_HZ, channels)]
    bad = [(end, finding) for end, finding in ends if finding]
    seconds = bad[0][0] / RATE_HZ if bad else None
    findings = Counter(finding for _, finding in bad)
    return {"seconds": seconds, "findings": dict(findings), "share": len(bad) / len(ends)}


def _swapped(signals: Signals) -> Signals:
    return signals[:, (0, 1, 2, 4, 3, 5)]


def _scaled(acc: float, gyro: float) -> Callable[[Signals], Signals]:
    factors = np.array([acc] * 3 + [gyro] * 3, np.float32)
    return lambda signals: signals * factors


def _held(signals: Signals) -> Signals:
    return np.repeat(signals[::8], 8, axis=0)[: len(signals)]


FAULTS: dict[str, Callable[[Signals], Signals]] = {
    "acceleration twice as large": _scaled(2, 1),
    "acceleration half as large": _scaled(0.5, 1),
    "gyroscope reversed": _scaled(1, -1),
    "gyroscope's x and y swapped": _swapped,
    "gyroscope in degrees/s": _scaled(1, float(np.rad2deg(1))),
    "gyroscope silent": lambda signals: signals * np.float32([1, 1, 1, 0.001, 0.001, 0.001]),
    "each sample eight times": _held,
}


def _noise(rng: np.random.Generator) -> NDArray[np.float64]:
    """A chip at rest."""
    return RestingSource(rng).at(np.arange(round(SECONDS * RATE_HZ)))


def _constant(acc: float, gyro: float) -> Callable[[np.random.Generator], Signals]:
    count = round(SECONDS * RATE_HZ)
    return lambda rng: np.tile(np.float32([acc] * 3 + [gyro] * 3), (count, 1))


def _washing_machine(rng: np.random.Generator) -> Signals:
    signals = _noise(rng)
    turns = 2 * np.pi * 13 * np.arange(len(signals)) / RATE_HZ
    signals[:, 0] += 4 * np.sin(turns)
    signals[:, 1] += 4 * np.cos(turns)
    return signals.astype(np.float32)


def _rotation(axis: int) -> Callable[[np.random.Generator], Signals]:
    def make(rng: np.random.Generator) -> Signals:
        signals = _noise(rng)
        signals[:, 3 + axis] += 2
        return signals.astype(np.float32)

    return make


def _white(rng: np.random.Generator) -> Signals:
    scales = np.array([2 * STANDARD_GRAVITY] * 3 + [2.0] * 3)
    limits = np.array([8 * STANDARD_GRAVITY] * 3 + [17.4] * 3)
    return np.clip(rng.normal(0, scales, (round(SECONDS * RATE_HZ), 6)), -limits, limits).astype(np.float32)


ABSURD: dict[str, Callable[[np.random.Generator], Signals]] = {
    "zeros on all axes": _constant(0, 0),
    "0xFFFF words": _constant(-8 * STANDARD_GRAVITY / 32768, -np.deg2rad(1000) / 32768),
    "saturation at −8 g": _constant(-8 * STANDARD_GRAVITY, -np.deg2rad(1000)),
    "a washing machine (13 Hz)": _washing_machine,
    "constant rotation about a level axis": _rotation(0),
    "constant rotation about the vertical": _rotation(2),
    "white noise, 2 g": _white,
}


def cost(rng: np.random.Generator) -> dict[str, float]:
    """Median host time of judging a window, microseconds."""
    still, wild = _noise(rng)[:128].astype(np.float32), _white(rng)[:128] / 4
    judges = {
        "at rest": (Plausibility(CHANNELS, RATE_HZ, 128), still),
        "moving": (Plausibility(CHANNELS, RATE_HZ, 128), wild + np.float32([0, 0, 9.8, 0, 0, 0])),
        "accelerometer alone, at rest": (Plausibility(CHANNELS[:3], RATE_HZ, 128), still[:, :3]),
    }
    steps = {
        name: (lambda judge=judge, window=window: judge.judge(Window(0, window)))
        for name, (judge, window) in judges.items()
    }
    durations = time_interleaved(steps, 3000, warm_up=200, seed=0)
    return {name: round(each.median_us, 1) for name, each in zip(steps, pair(durations, seed=0), strict=True)}


def machine() -> dict[str, Any]:
    """The machine and its load."""
    return {**describe_machine(), "load_average": os.getloadavg()[0]}


if __name__ == "__main__":
    main()
