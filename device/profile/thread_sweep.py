"""Duration of an inference by number of threads: one engine for each number, timed in random order."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from deseptr.tflite.engine import Engine
from deseptr.tflite.interleaved import time_interleaved

ROUNDS = 200
WARM_UP = 10


def thread_sweep(
    load: Callable[[int], Engine], threads: Sequence[int] = (1, 2, 4), rounds: int = ROUNDS, seed: int = 0
) -> list[dict[str, Any]]:
    """Durations of an inference by number of threads, as plain JSON values.

    Args:
        load: makes an engine with a number of threads.
        threads: the numbers of threads; the first is the reference.
        rounds: number of timed calls of each, interleaved.
        seed: seed of the input noise and of the orders.

    Returns:
        For each number its ``threads``, ``p50_us``, ``p95_us``, ``p99_us``, ``speedup`` of its median over that of the
        first, and ``oversubscribed``, whether this process may use fewer cores.
    """
    engines = {count: load(count) for count in threads}
    contract = engines[threads[0]].contract
    shape = (contract.input_length, len(contract.channels))
    window = np.random.default_rng(seed).normal(0, 5, shape).astype(np.float32)
    runners = {str(count): partial(engine.invoke, window) for count, engine in engines.items()}
    durations = time_interleaved(runners, rounds, WARM_UP, seed) / 1000.0
    percentiles = np.percentile(durations, (50, 95, 99), axis=0)
    cores = available_cores()
    return [
        {
            "threads": count,
            "p50_us": round(float(p50), 3),
            "p95_us": round(float(p95), 3),
            "p99_us": round(float(p99), 3),
            "speedup": round(float(percentiles[0, 0] / p50), 3),
            "oversubscribed": count > cores,
        }
        for count, (p50, p95, p99) in zip(threads, percentiles.T, strict=True)
    ]


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
