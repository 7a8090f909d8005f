"""Interleaved timing of several functions, so that other load on the machine affects all of them equally.

Timing one function after the other compares a busy minute with a quiet one, or a cool processor with a hot one. Here
every round times each function once, in a random order, and functions are compared by the ratio within a round. The
functions can be anything; ``deseptr compare`` passes models.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import Interval

Runner = Callable[[], object]


def time_interleaved(
    runners: Mapping[str, Runner],
    rounds: int = 1000,
    warm_up: int = 20,
    seed: int = 0,
    *,
    now_ns: Callable[[], int] = time.perf_counter_ns,
    progress: Callable[[int], None] = lambda rounds: None,
) -> NDArray[np.int64]:
    """Durations ``[rounds, runners]`` in ns; a row has the calls of one round, columns are in the runners' order.

    In a round each runner is called twice in a row, in random order: an untimed call, which reloads the caches that the
    previous runner has used, then a timed one. The duration is thus that of a runner in a loop of its own. All calls
    run on this thread; Python's garbage collector is off.

    Args:
        runners: functions to time, by name.
        rounds: number of rounds.
        warm_up: untimed calls of each runner before the first round.
        seed: seed of the orders.
        now_ns: the clock.
        progress: called with the number of rounds so far after each round.

    Raises:
        ValueError: if there is no runner or no round.
    """
    if not runners or rounds < 1:
        raise ValueError(f"at least one runner and one round. Received: {len(runners)} runners, {rounds} rounds")
    calls = list(runners.values())
    durations = np.zeros((rounds, len(calls)), np.int64)
    rng = np.random.default_rng(seed)
    for call in calls:
        for _ in range(warm_up):
            call()
    with _no_garbage_collection():
        for number, row in enumerate(durations, 1):
            for index in rng.permutation(len(calls)):
                row[index] = _timed(calls[index], now_ns)
            progress(number)
    return durations


def _timed(call: Runner, now_ns: Callable[[], int]) -> int:
    call()
    start = now_ns()
    call()
    return now_ns() - start


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Paired:
    """Latency of one runner and its ratio to the first one in the same rounds.

    Args:
        median_us: median of its calls.
        p5_us: 5th percentile: about the fastest that it gets.
        p99_us: 99th percentile.
        ratio: median over the rounds of its duration divided by the first runner's; 1 for the first.
        interval: 95 % interval of that ratio; None for the first.
        ratio_of_medians: its median divided by the first runner's.
        percentiles_us: the percentiles 0 to 100.
    """

    median_us: float
    p5_us: float
    p99_us: float
    ratio: float
    interval: Interval | None
    ratio_of_medians: float
    percentiles_us: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        interval = self.interval and self.interval._asdict()
        return {**asdict(self), "interval": interval, "percentiles_us": list(self.percentiles_us)}


def pair(durations_ns: NDArray[np.int64], *, resamples: int = 2000, seed: int = 0) -> tuple[Paired, ...]:
    """Figures of every column of :func:`time_interleaved`, compared with the first.

    The interval is a percentile bootstrap over rounds (Efron and Tibshirani 1993, chapter 13). It shows how precisely
    these rounds determine the ratio; another process, with another memory layout, may differ by some thousandths, and
    another machine by any amount.

    Args:
        durations_ns: ``[rounds, runners]``.
        resamples: number of resamples of the rounds, with replacement.
        seed: seed of the resampling.
    """
    # A coarse clock may measure 0.
    durations = np.maximum(durations_ns, 1).astype(np.float64)
    ratios = durations / durations[:, :1]
    low, high = _median_bounds(ratios, resamples, np.random.default_rng(seed))
    medians = np.median(durations, axis=0)
    percentiles = np.percentile(durations / 1000.0, np.arange(101), axis=0).round(3)
    return tuple(
        Paired(
            median_us=float(percentiles[50, column]),
            p5_us=float(percentiles[5, column]),
            p99_us=float(percentiles[99, column]),
            ratio=float(np.median(ratios[:, column])),
            interval=Interval(float(low[column]), float(high[column]), 0.95) if column else None,
            ratio_of_medians=float(medians[column] / medians[0]),
            percentiles_us=tuple(percentiles[:, column].tolist()),
        )
        for column in range(durations.shape[1])
    )


def _median_bounds(
    ratios: NDArray[np.float64], resamples: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds ``[runner]`` that contain 95 % of the resampled medians; a resample uses the same rounds for all."""
    rounds = len(ratios)
    medians = [np.median(ratios[rng.integers(rounds, size=rounds)], axis=0) for _ in range(resamples)]
    low, high = np.quantile(medians, (0.025, 0.975), axis=0)
    return low, high
