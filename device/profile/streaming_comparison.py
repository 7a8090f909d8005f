"""A window by columns against the same window as a whole, timed in random order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deseptr.tflite.engine import Engine
from deseptr.tflite.interleaved import pair, time_interleaved
from deseptr.tflite.streaming_engine import StreamingEngine

ROUNDS = 200
WARM_UP = 10


def streaming_comparison(
    engine: Engine, by_columns: StreamingEngine, rounds: int = ROUNDS, seed: int = 0
) -> dict[str, Any]:
    """Durations of a window from samples to logits, as plain JSON values.

    Args:
        engine: the model.
        by_columns: the same, for windows a hop of the engine's contract apart.
        rounds: number of timed calls of each, interleaved.
        seed: seed of the input noise and of the orders.

    Returns:
        ``columns`` of a window and ``new_columns`` of each; for ``whole`` and ``streamed`` windows their ``p50_us``,
        ``p95_us``, ``p99_us`` and the ``s_per_hour`` of wear that the median comes to; and ``ratio``, the median over
        the rounds of streamed over whole.
    """
    contract, streaming = engine.contract, by_columns.streaming
    window = np.random.default_rng(seed).normal(0, 5, (contract.input_length, len(contract.channels)))
    samples = window.astype(np.float32)
    runners: dict[str, Callable[[], object]] = {
        "whole": lambda: engine.invoke(samples),
        "streamed": _hopping(by_columns, samples),
    }
    durations = time_interleaved(runners, rounds, WARM_UP, seed)
    percentiles = np.percentile(durations / 1000.0, (50, 95, 99), axis=0)
    found: dict[str, Any] = {
        "columns": streaming.columns,
        "new_columns": streaming.new_columns(contract.hop_length),
        "ratio": round(pair(durations, seed=seed)[1].ratio, 3),
    }
    for name, (p50, p95, p99) in zip(runners, percentiles.T, strict=True):
        found[name] = {
            "p50_us": round(float(p50), 3),
            "p95_us": round(float(p95), 3),
            "p99_us": round(float(p99), 3),
            "s_per_hour": round(float(p50) * 3600 / contract.hop_s / 1e6, 3),
        }
    return found


def _hopping(engine: StreamingEngine, samples: np.ndarray[Any, np.dtype[np.float32]]) -> Callable[[], object]:
    """A step that takes the samples for those of the next window: their values do not change what it computes."""
    place = [0]

    def step() -> object:
        place[0] += engine.hop_length
        return engine.invoke(samples, place[0])

    return step
