"""What does a wearer's correction cost on the device side, a window and in memory?

    python benchmarks/personalise_cost.py -o benchmarks/personalise_cost.json

The packaged model with and without a file, turn by turn in one process, on the windows of the sample: for a file of
half a minute of each activity, for the largest file, and with a new label, which keeps the recorded windows. Times are
medians of the processor time; memory is the resident set before and after the engine with the file is made.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract.familiar_statistics import window_statistics
from deseptr.data import cut_for_model, load_sample
from deseptr.device import (
    DecisionConfig,
    LabelTracker,
    PushStream,
    UnknownJudge,
    WindowEvent,
    default_model,
    describe_machine,
)
from deseptr.device.personal import PersonalEngine, Recorded, WearerFile
from deseptr.device.personal.wearer_file import MOST_WINDOWS, model_hash
from deseptr.tflite import Engine, TfliteEngine, load_engine, predict_with_embeddings

ROUNDS = 40
# Windows of 2.56 s that overlap by half.
HALF_A_MINUTE = 22
FILES = {
    "30 s of each activity": (HALF_A_MINUTE, 0),
    "the largest file": (MOST_WINDOWS, 0),
    "with a new label": (MOST_WINDOWS, 1),
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    plain = load_engine(default_model())
    windows = cut_for_model(load_sample(), plain.contract)
    seen = seen_by(plain)
    _timed([plain], windows.signals)
    rows = []
    for name, (count, new) in FILES.items():
        of_each = count * len(plain.contract.labels) if count == HALF_A_MINUTE else count
        rows.append({"file": name} | _measured(plain, file_of(plain, seen, of_each, new), windows.signals))
    result = {"model": plain.contract.model, "engine": plain.name, "machine": describe_machine(), "rows": rows}
    chosen.output.write_text(json.dumps(result | {"python": platform.python_version()}, indent=1) + "\n")


def seen_by(engine: TfliteEngine) -> Recorded:
    """The windows of the sample as a model sees them."""
    windows = cut_for_model(load_sample(), engine.contract)
    told = predict_with_embeddings(engine, windows.signals)
    samples = windows.signals[:, -engine.contract.window_length :]
    statistics = window_statistics(samples, engine.contract.channels).astype(np.float32)
    return Recorded(*told, windows.labels, windows.recording, windows.start, statistics)


def file_of(engine: TfliteEngine, seen: Recorded, count: int, new: int) -> WearerFile:
    """A file of so many windows of the sample, with a little noise so that no two are the same."""
    random = np.random.default_rng(0)
    drawn = seen.take(np.sort(random.integers(0, len(seen), count)))
    labels = drawn.labels.copy()
    if new:
        labels[labels == len(engine.contract.labels) - 1] = len(engine.contract.labels)
    embeddings = drawn.embeddings + random.normal(0, 0.02, drawn.embeddings.shape).astype(np.float32)
    session = replace(drawn, embeddings=embeddings, labels=labels)
    return WearerFile("eve", model_hash(engine.model), engine.contract.labels, ("new",) * new, (session,))


def _measured(plain: TfliteEngine, file: WearerFile, windows: NDArray[np.float32]) -> dict[str, Any]:
    gc.collect()
    before = _resident()
    begun = time.process_time()
    corrected = PersonalEngine(plain, file)
    fitting = time.process_time() - begun
    corrected.invoke(windows[0])
    gc.collect()
    more = _resident() - before
    without, with_file = _timed([plain, corrected], windows)
    plain_run, corrected_run = _run([plain, corrected])
    return {
        "windows": len(file.recorded),
        "bytes": len(file.to_json()),
        "fit_ms": 1e3 * fitting,
        "plain_us": without,
        "corrected_us": with_file,
        "ratio": with_file / without,
        "plain_run_us": plain_run,
        "corrected_run_us": corrected_run,
        "run_ratio": corrected_run / plain_run,
        "resident_bytes": before,
        "more_bytes": more,
        "memory_ratio": (before + more) / before,
    }


def _timed(engines: list[Engine], windows: NDArray[np.float32]) -> list[float]:
    """Median microseconds of the processor a window, for each engine; a pass over the windows of each in turn."""
    spent: list[list[float]] = [[] for _ in engines]
    for _ in range(ROUNDS):
        for engine, times in zip(engines, spent, strict=True):
            begun = time.process_time_ns()
            for window in windows:
                engine.invoke(window)
            times.append((time.process_time_ns() - begun) / 1e3 / len(windows))
    return [float(np.median(times)) for times in spent]


def _run(engines: list[Engine]) -> list[float]:
    """The same for all that a run does with pushed samples: windows, plausibility, the model, the decided label."""
    recordings = load_sample().recordings
    spent: list[list[float]] = [[] for _ in engines]
    for _ in range(ROUNDS // 4):
        for engine, times in zip(engines, spent, strict=True):
            contract, windows, ns = engine.contract, 0, 0
            for recording in recordings:
                tracker = LabelTracker(contract.labels, DecisionConfig(), contract.hop_s)
                stream = PushStream(engine, tracker=tracker, unknown=UnknownJudge(contract))
                begun = time.process_time_ns()
                events = stream.push(recording.signals)
                ns += time.process_time_ns() - begun
                windows += sum(isinstance(event, WindowEvent) for event in events)
            times.append(ns / 1e3 / windows)
    return [float(np.median(times)) for times in spent]


def _resident() -> int:
    """Resident set in bytes."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
