"""What do views cost on the processor? Rounding a window to int8 against encoding it and its history, interleaved.

    python benchmarks/encode_cost.py > benchmarks/encode_cost.json

`quantise` is what an engine does for a graph that takes the window itself, `encode` what it does for one that takes
views, each with the copy into an int8 tensor. `contract` is the same encoding as the contract states it, which makes
new arrays, and `invoke` the packaged model's inference. Prints JSON: medians, and ratios to `quantise` with 95 %
intervals.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace

import click
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, InputViews, ModelContract
from deseptr.device import default_model, describe_machine
from deseptr.tflite import load_engine
from deseptr.tflite.graph_input import GraphInput, QuantisedInput, ViewInput
from deseptr.tflite.interleaved import pair, time_interleaved


@click.command()
@click.option("--window-length", type=click.IntRange(32), default=150, show_default=True)
@click.option("--rounds", type=click.IntRange(2), default=5000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws signals and orders.")
def main(window_length: int, rounds: int, seed: int) -> None:
    """Time both ways to make a graph's input."""
    plain = ModelContract(labels=("a", "b"), window_length=window_length)
    views = InputViews()
    viewed = replace(plain, views=views)
    walk = np.random.default_rng(seed).normal(0, 0.5, (viewed.input_length, len(viewed.channels)))
    samples = np.cumsum(walk, axis=0).astype(np.float32)
    engine = load_engine(default_model())
    window = samples[: engine.contract.input_length]
    steps = {
        "quantise": feeding(QuantisedInput(plain, np.dtype(np.int8), 1 / INPUT_STEPS, 0), samples[viewed.history :]),
        "encode": feeding(ViewInput(viewed), samples),
        "contract": lambda: views.encode(samples, viewed.input_range),
        "invoke": lambda: engine.invoke(window),
    }
    durations = time_interleaved(steps, rounds, warm_up=200, seed=seed)
    result = {
        "window": [window_length, len(viewed.channels)],
        "history": viewed.history,
        "rounds": rounds,
        "model": {"name": engine.contract.model, "runtime": engine.name},
        "steps": {
            name: {
                "median_us": round(each.median_us, 2),
                "p10_us": round(float(np.percentile(times, 10)) / 1000, 2),
                "over_quantise": round(each.ratio, 2),
                "interval": each.interval and [round(each.interval.low, 2), round(each.interval.high, 2)],
            }
            for name, each, times in zip(steps, pair(durations, seed=seed), durations.T, strict=True)
        },
        "machine": {**describe_machine(), "load_average": os.getloadavg()[0]},
    }
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")


def feeding(graph_input: GraphInput, samples: NDArray[np.float32]) -> Callable[[], object]:
    """A step that makes a graph's input and copies it into a tensor."""
    tensor = np.zeros(graph_input.values(samples).shape, np.int8)
    return lambda: np.copyto(tensor, graph_input.values(samples), casting="unsafe")


if __name__ == "__main__":
    main()
