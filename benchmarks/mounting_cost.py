"""What does the estimate of the mounting cost on the device side, a window, against an inference?

    python benchmarks/mounting_cost.py -o benchmarks/mounting_cost.json

The packaged model's inference, the estimate of its mounting, the score of what is unfamiliar and a correction by a
given turn, turn by turn in one process, on one window of the sample.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import Mounting
from deseptr.data import cut_for_model, load_sample
from deseptr.device import MountingCorrection, Window, default_model, describe_machine
from deseptr.device.label.familiarity import Familiarity
from deseptr.device.mounting.estimator import MountingEstimator
from deseptr.tflite import load_engine
from deseptr.tflite.interleaved import pair, time_interleaved

ROUNDS = 3000


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    engine = load_engine(default_model())
    steps = parts(engine)
    durations = time_interleaved(steps, ROUNDS, warm_up=200)
    rows = {
        name: {"median_us": each.median_us, "over_invoke": each.ratio}
        for name, each in zip(steps, pair(durations), strict=True)
    }
    result = {"rounds": ROUNDS, "engine": engine.name, "steps": rows, "machine": describe_machine()}
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def parts(engine: Any) -> dict[str, Callable[[], object]]:
    """What is timed, the inference first."""
    contract = engine.contract
    samples = cut_for_model(load_sample(), contract).signals[0]
    window = Window(0, samples, contract.history)
    estimator = MountingEstimator(contract.mounting, contract.channels)
    familiarity = Familiarity(contract.known_windows, contract.channels, contract.hop_s)
    correct = MountingCorrection(Mounting.named("x90"), contract.channels)
    own = np.ascontiguousarray(samples[contract.history :])

    def estimate() -> None:
        estimator.add(own)
        estimator.found()

    return {
        "invoke": lambda: engine.invoke(samples),
        "estimate": estimate,
        "unfamiliar": lambda: familiarity.update(window),
        "correct": lambda: correct(samples),
    }


if __name__ == "__main__":
    main()
