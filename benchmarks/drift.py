"""How often does a day of a person differ without a reason, and how often is a real change found?

    python benchmarks/drift.py ../shared/data --hapt HAPT.tflite --motionsense MS.tflite -o benchmarks/drift.json

Each wearer that a model was not trained on is tried in turn, with the temperature and the reference of the other such
wearers, and known windows of those whom it was trained on. Days are drawn minute by minute from the wearer's recordings
and go the device's way: its stream, its engine, its summary and its verdict, with and without known windows.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import timeit
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DriftHistogram, DriftReference, EmbeddingReference, ModelContract, Mounting
from deseptr.contract.drift_reference import SIZES
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.device import (
    DriftVerdict,
    DriftWatch,
    MountingCorrection,
    PushStream,
    UnknownJudge,
    WindowEvent,
    describe_machine,
)
from deseptr.device.drift.verdict import judge
from deseptr.device.drift.window_measures import WindowMeasures
from deseptr.device.label.class_of_logits import classify_logits
from deseptr.evaluate.continuous.playing import signals_of
from deseptr.evaluate.drift_reference import find_drift_reference
from deseptr.evaluate.known_windows import find_known_windows
from deseptr.evaluate.model_file import write_contract
from deseptr.evaluate.temperature import calibrate
from deseptr.tflite import Engine, load_engine, read_tflite

DAYS = 20
BLOCK_S = 60.0
KNOWN = 0.99
# In this order: a verdict without known windows is that of the same day with its score taken away.
WAYS = WITH, WITHOUT = ("with known windows", "without")
MIX_SHARE = 0.9
Signals = NDArray[np.float32]
Minutes = list[list[WindowEvent]]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("--hapt", type=Path, required=True, help="int8 model of HAPT")
    parser.add_argument("--motionsense", type=Path, required=True, help="int8 model of MotionSense")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    models = {"hapt": chosen.hapt, "motionsense": chosen.motionsense}
    sets = {name: load_dataset(chosen.data / f"{name}.npz") for name in models}
    runs = []
    tested = {name: _held_out(read_tflite(model).contract, sets[name]) for name, model in models.items()}
    with ProcessPoolExecutor(len(models)) as pool:
        for name, model in models.items():
            other = next(each for each in sets if each != name)
            strangers = sets[other].select(subjects=tested[other])
            run = pool.submit(_run, model, sets[name], tested[name], strangers)
            runs.append(({"data": name, "other": other}, run))
    result = {
        "sizes": list(SIZES),
        "days": DAYS,
        "runs": [about | run.result() for about, run in runs],
        "cost": _cost(chosen.hapt),
    }
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def _held_out(contract: ModelContract, dataset: Dataset) -> tuple[str, ...]:
    return contract.held_out.among(dataset.subjects) if contract.held_out else dataset.test_subjects


def _run(model: Path, dataset: Dataset, tested: tuple[str, ...], other: Dataset) -> dict[str, Any]:
    """Verdicts by change and size, over all wearers, with known windows and without."""
    rng = np.random.default_rng(0)
    words = {way: defaultdict[str, list[Counter[str]]](lambda: [Counter() for _ in SIZES]) for way in WAYS}
    limits: list[dict[str, list[float]]] = []
    for number, name in enumerate(tested):
        with tempfile.TemporaryDirectory() as folder:
            engine = _engine_for(model, dataset, tested, name, Path(folder) / "m.tflite")
        reference = engine.contract.drift
        assert reference is not None
        limits.append({each: list(found.limits) for each, found in reference.histograms.items()})
        own = dataset.select(subjects=(name,))
        stranger = other.select(subjects=(other.subjects[number % len(other.subjects)],))
        days = {"none": _minutes(engine, own)}
        days["one activity"] = _of_one_activity(days["none"])
        days |= {change: _minutes(engine, own, alter) for change, alter in _changes(engine.contract).items()}
        days["other data"] = _minutes(engine, stranger)
        changed = {change: minutes for change, minutes in days.items() if change not in ("none", "one activity")}
        days |= {f"one activity, {change}": _of_one_activity(minutes) for change, minutes in changed.items()}
        for change, minutes in days.items():
            for place, size in enumerate(SIZES):
                for _ in range(DAYS):
                    for way, word in _told(engine.contract, minutes, size, rng).items():
                        words[way][change][place][word] += 1
        print(name, {way: {change: dict(found[1]) for change, found in words[way].items()} for way in WAYS}, flush=True)
    return {
        "wearers": len(tested),
        "limits": {each: np.median([one[each] for one in limits], axis=0).round(3).tolist() for each in limits[0]},
        **{way: {change: list(map(_shares, counts)) for change, counts in words[way].items()} for way in WAYS},
    }


def _engine_for(model: Path, dataset: Dataset, tested: tuple[str, ...], name: str, path: Path) -> Engine:
    """The model with temperature and reference of all tested wearers but one, and known windows of the others."""
    others = dataset.select(subjects=tuple(each for each in tested if each != name))
    learned = dataset.select(subjects=tuple(each for each in dataset.subjects if each not in tested))
    file, engine = read_tflite(model), load_engine(model)
    contract = replace(file.contract, logit_temperature=calibrate(engine, others).temperature)
    contract = replace(contract, known_windows=find_known_windows(contract, learned, KNOWN).known)
    contract = replace(contract, drift=find_drift_reference(engine, contract, others).reference)
    return load_engine(write_contract(file, path, contract))


def _changes(contract: ModelContract) -> dict[str, Callable[[Signals], Signals]]:
    acc = np.array([channel.startswith("acc") for channel in contract.channels])
    found: dict[str, Callable[[Signals], Signals]] = {
        f"turned by 90° about {axis}": MountingCorrection(Mounting.named(f"{axis}90"), contract.channels)
        for axis in "xyz"
    }
    return found | {"acceleration 10 % larger": lambda signals: signals * np.where(acc, np.float32(1.1), np.float32(1))}


def _minutes(
    engine: Engine, dataset: Dataset, alter: Callable[[Signals], Signals] = lambda signals: signals
) -> Minutes:
    """The windows of a wearer, minute by minute."""
    minutes: Minutes = []
    for recording in dataset.recordings:
        by_minute: dict[int, list[WindowEvent]] = {}
        for event in _played(engine, recording, alter):
            by_minute.setdefault(int(event.t // BLOCK_S), []).append(event)
        minutes += by_minute.values()
    return minutes


def _played(engine: Engine, recording: Recording, alter: Callable[[Signals], Signals]) -> list[WindowEvent]:
    stream = PushStream(engine, recording.rate_hz, unknown=UnknownJudge(engine.contract))
    signals = np.ascontiguousarray(alter(signals_of(recording, engine.contract)), np.float32)
    return [event for event in stream.push(signals) if isinstance(event, WindowEvent)]


def _of_one_activity(minutes: Minutes) -> Minutes:
    """Minutes of which most are of the wearer's commonest activity, as the model sees it."""

    def commonest(minute: list[WindowEvent]) -> str:
        return Counter(event.label for event in minute).most_common(1)[0][0]

    label = Counter(map(commonest, minutes)).most_common(1)[0][0]
    own = [minute for minute in minutes if commonest(minute) == label]
    rest = [minute for minute in minutes if commonest(minute) != label] or own
    return own * max(1, round(MIX_SHARE / (1 - MIX_SHARE) * len(rest) / len(own))) + rest


def _told(contract: ModelContract, minutes: Minutes, size: int, rng: np.random.Generator) -> dict[str, str]:
    """The verdicts on a day of about so many windows."""
    watch = DriftWatch(contract, wall=lambda: 0.0, monotonic=lambda: 0.0, run="r")
    count = 0
    while count < size:
        minute = minutes[rng.integers(len(minutes))]
        count += len(minute)
        for event in minute:
            watch.note(event)
    part = watch.finish()
    assert part is not None
    found = {}
    for way in WAYS:
        if way == WITHOUT:
            part.summary.histograms.pop("score", None)
        verdict = judge(part.summary, contract)
        assert verdict is not None
        found[way] = _word(verdict)
    return found


def _word(verdict: DriftVerdict) -> str:
    return "other activities" if verdict.word == "as in training" and verdict.mix else verdict.word


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {word: round(count / counts.total(), 4) for word, count in sorted(counts.items())}


def _cost(model: Path) -> dict[str, Any]:
    """Microseconds a window for each step, the best of several rounds."""
    contract = read_tflite(model).contract
    classes, width = len(contract.labels), contract.embedding_width
    confidence = DriftHistogram(((10,) * 12,) * classes, (1.0,) * 3)
    distance = DriftHistogram(((12,) * 10,) * classes, (1.0,) * 3)
    embedding = EmbeddingReference.of([1.0] * width, np.zeros((classes, width)), [list(range(1, 10))] * classes)
    contract = replace(
        contract, drift=DriftReference(9, 120 * classes, 1.28, 9.8, confidence, distance, None, embedding)
    )
    rng = np.random.default_rng(0)
    measures, watch = WindowMeasures(contract), DriftWatch(contract)
    window = rng.normal(0, 0.1, (contract.window_length, len(contract.channels))).astype(np.float32)
    vector = rng.normal(size=width).astype(np.float32)
    label = contract.labels[0]
    event = WindowEvent(1.0, label, 0.9, dict.fromkeys(contract.labels, 0.1), 1.0, 0, label, distance=3.2, gravity=9.8)
    steps = {
        "gravity": lambda: measures.gravity(window),
        "distance": lambda: measures.distance(vector, 0),
        "own class": lambda: classify_logits(vector[:classes], contract.labels),
        "counting": lambda: watch.note(event),
    }
    took = {name: min(timeit.repeat(step, number=50, repeat=400)) / 50 * 1e6 for name, step in steps.items()}
    return {
        "us_a_window": {name: round(value, 2) for name, value in took.items()},
        "machine": describe_machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
