"""Is int8 faster? One network three or four ways, interleaved in one process on one thread.

    python benchmarks/int8_speed.py runs/ms/fold-test/run > int8_speed.json

`int8` is what `deseptr convert` writes, `float32` the same lowered graph in float, `onnx` that graph in ONNX Runtime,
and `unlowered int8` the checkpoint as Keras computes it (its attention, layer norms and front end, without the rounding
that is for training alone), quantised by the same converter with the same windows.
"""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np

from deseptr.contract import ModelContract
from deseptr.convert import Gate, Recipe, convert_run
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.to_onnx import to_onnx
from deseptr.device import describe_machine
from deseptr.tflite import embed_contract
from deseptr.tflite.bare_model import BareOnnx, BareTflite, random_feeds, runner
from deseptr.tflite.graph import read_graph
from deseptr.tflite.interleaved import pair, time_interleaved
from deseptr.tflite.runtimes import choose_runtime
from deseptr.train import CalibrationWindows, RunFolder, load_run
from deseptr.train.provenance import source_commit


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--rounds", type=click.IntRange(10), default=2000, show_default=True)
@click.option("--onnx/--no-onnx", default=True, show_default=True, help="Also time the float graph in ONNX Runtime.")
def main(run: Path, rounds: int, onnx: bool) -> None:
    """Time one network in all its forms."""
    flatbuffers = graphs(run)
    runtime = choose_runtime("litert")
    models: dict[str, Any] = {name: BareTflite(content, name, runtime) for name, content in flatbuffers.items()}
    if onnx:
        models["onnx"] = BareOnnx(to_onnx(flatbuffers["float32"], run), "onnx")
    runners = {name: runner(model, random_feeds(model, 16)) for name, model in models.items()}
    figures = pair(time_interleaved(runners, rounds))
    result = {
        "run": run.name,
        "model": ModelContract.load(RunFolder(run).contract).model,
        "rounds": rounds,
        "models": {
            name: {
                "runtime": models[name].runtime,
                **({"nodes": len(read_graph(flatbuffers[name]).nodes)} if name in flatbuffers else {}),
                "median_us": latency.median_us,
                "p99_us": latency.p99_us,
                "over_float32": latency.ratio,
                "interval": latency.interval and [latency.interval.low, latency.interval.high],
            }
            for name, latency in zip(runners, figures, strict=True)
        },
        **({"unlowered_over_int8": figures[2].ratio / figures[1].ratio} if "unlowered int8" in flatbuffers else {}),
        "machine": {**describe_machine(), "load_average": os.getloadavg()[0], "keras": keras.__version__},
        "python": platform.python_version(),
        "commit": source_commit(),
    }
    json.dump(result, sys.stdout, indent=2)


def graphs(run: Path) -> dict[str, bytes]:
    """The flatbuffers, float32 first; a model on views has none that is not lowered, since its encoder is no graph."""
    with tempfile.TemporaryDirectory() as folder:
        conversion = convert_run(run, Path(folder) / "m.tflite", gate=Gate(0.0, 1.0, -99.0))
    quantized = conversion.kept.quantized
    lowered = {
        "float32": quantized.reference,
        "int8": embed_contract(quantized.flatbuffer, quantized.contract),
    }
    return lowered if quantized.contract.views is not None else lowered | {"unlowered int8": unlowered(run)}


def unlowered(run: Path) -> bytes:
    """The checkpoint as Keras computes it, quantised."""
    classifier, contract = load_run(run)
    calibration = CalibrationWindows.load(RunFolder(run).calibration)
    windows = InferenceGraph(classifier, contract).encode(calibration.windows[: Recipe().calibration_windows])
    classifier.front_end._divisor = np.float32(1.0)
    window = keras.Input((contract.window_length, len(contract.channels)), batch_size=1)
    with mock.patch("deseptr.train.front_end.quantise", lambda scaled: scaled):
        graph = InferenceGraph(keras.Model(window, classifier(window)), contract, raw=True)
    return flatbuffer_of(graph, Recipe(), windows, run)


if __name__ == "__main__":
    main()
