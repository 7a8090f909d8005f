"""What do columns save? A stream of windows by columns, by whole windows and in float32, at several hops, interleaved.

    python benchmarks/streaming.py float32.tflite > benchmarks/streaming.json

FLOAT32 is `deseptr convert RUN --mode float32` of the packaged model's run. A call is a window: encoding, graphs and
rings, from samples to logits. `pays` is whether a device uses columns at that hop. Arenas of TensorFlow Lite Micro are
those of the whole, the column and the time graph. `wear` is a stream of pushed samples with a decision, as a device has
it, at the last hop: seconds of the processor and resident memory. Prints JSON.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DecisionConfig
from deseptr.convert.micro.runtime import measure_arena
from deseptr.convert.micro.source import resolver_ops
from deseptr.device import LabelTracker, PushStream, default_model, describe_machine
from deseptr.device.profile.usage import process_memory
from deseptr.tflite import (
    TfliteFile,
    at_hop,
    embed_contract,
    load_engine,
    read_tflite,
    streaming_inside,
    without_archive,
)
from deseptr.tflite.graph import read_graph
from deseptr.tflite.interleaved import pair, time_interleaved
from deseptr.tflite.runtimes import choose_runtime
from deseptr.tflite.streaming_engine import StreamingEngine

SHARES = (2, 4, 8, 16)


@click.command()
@click.argument("float32", type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", type=click.IntRange(2), default=3000, show_default=True)
@click.option("--hours", type=click.FloatRange(0.01), default=6.0, show_default=True, help="Of wear, in virtual time.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws signals and orders.")
def main(float32: Path, rounds: int, hours: float, seed: int) -> None:
    """Time and count windows by columns and whole."""
    model = read_tflite(default_model())
    graphs = streaming_inside(model)
    assert graphs is not None
    contract, runtime = model.contract, choose_runtime("auto")
    walk = np.random.default_rng(seed).normal(0, 0.5, (contract.input_length + 40_000, len(contract.channels)))
    samples = np.cumsum(walk, axis=0).astype(np.float32)
    engines = {"whole": load_engine(default_model()), "float32": load_engine(float32)}
    window = samples[: contract.input_length]
    runners: dict[str, Callable[[], object]] = {
        name: (lambda engine=engine: engine.invoke(window)) for name, engine in engines.items()
    }
    hops = {share: contract.window_length // share for share in SHARES}
    for share, hop in hops.items():
        runners[f"1/{share}"] = streaming(StreamingEngine(model, graphs, hop, runtime), samples, hop)
    durations = time_interleaved(runners, rounds, warm_up=200, seed=seed)
    whole = without_archive(model.content)
    parts = {"whole": whole, "column": graphs.column, "time": graphs.time}
    macs = {name: read_graph(content).macs for name, content in parts.items()}
    columns = {share: graphs.streaming.new_columns(hop) for share, hop in hops.items()}
    result = {
        "rounds": rounds,
        "model": {"name": contract.model, "runtime": engines["whole"].name},
        "latency": {
            name: {
                "median_us": round(each.median_us, 2),
                "over_whole": round(each.ratio, 3),
                "interval": each.interval and [round(each.interval.low, 3), round(each.interval.high, 3)],
            }
            for name, each in zip(runners, pair(durations, seed=seed), strict=True)
        },
        "hops": [
            {
                "share": share,
                "samples": hop,
                "seconds": hop / contract.rate_hz,
                "new_columns": columns[share],
                "pays": graphs.streaming.pays(hop),
                "macs": columns[share] * macs["column"] + macs["time"],
                "macs_over_whole": round((columns[share] * macs["column"] + macs["time"]) / macs["whole"], 3),
            }
            for share, hop in hops.items()
        ],
        "graphs": {name: of_graph(content) for name, content in parts.items()},
        "wear": wear(model, samples, hours, hops[SHARES[-1]]),
        "machine": {**describe_machine(), "load_average": os.getloadavg()[0]},
    }
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")


def streaming(engine: StreamingEngine, samples: NDArray[np.float32], hop: int) -> Callable[[], object]:
    """A step that computes the next window of a stream; at the stream's end the next one begins."""
    length, last = engine.contract.input_length, len(samples) - engine.contract.input_length
    place = [0, 0]

    def step() -> object:
        start, segment = place
        place[:] = (start + hop, segment) if start + hop <= last else (0, segment + 1)
        return engine.invoke(samples[start : start + length], start, segment)

    return step


def wear(model: TfliteFile, samples: NDArray[np.float32], hours: float, hop: int) -> dict[str, object]:
    """Processor seconds an hour and growth of the memory, with columns and without, after a first tenth."""
    hop_s = hop / model.contract.rate_hz
    found: dict[str, object] = {"hours": hours, "hop_s": hop_s}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "whole.tflite"
        plain.write_bytes(embed_contract(without_archive(model.content), model.contract))
        for name, path in (("columns", model.path), ("whole", plain)):
            stream = PushStream(
                at_hop(load_engine(path), hop_s),
                tracker=LabelTracker(model.contract.labels, DecisionConfig(), hop_s),
            )
            pushed, total = 0, int(hours * 3600 * model.contract.rate_hz)
            marks: list[tuple[float, int]] = []
            for share in (0.1, 1.0):
                while pushed < share * total:
                    place = pushed % (len(samples) - hop)
                    stream.push(samples[place : place + hop])
                    pushed += hop
                marks.append((time.process_time(), process_memory().resident))
            (early, before), (late, after) = marks
            found[name] = {
                "cpu_s_per_hour": round((late - early) / (0.9 * hours), 2),
                "resident_growth_kb": (after - before) // 1024,
            }
    return found


def of_graph(content: bytes) -> dict[str, object]:
    """Counts of a graph, and its arena in TensorFlow Lite Micro."""
    graph, arena = read_graph(content), measure_arena(content)
    return {
        "bytes": len(content),
        "nodes": len(graph.nodes),
        "macs": graph.macs,
        "ops": graph.ops,
        "resolver_ops": list(resolver_ops(graph)),
        "arena_bytes": arena.bytes,
        "arena_head": arena.head,
        "arena_tail": arena.tail,
    }


if __name__ == "__main__":
    main()
