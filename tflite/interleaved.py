"""Timing things against each other: interleaved, so that what else the machine does meets all of them alike.

Runs after one another compare a busy minute with a quiet one, a cool processor with a hot one. Here every round times
each runner once, in an order of its own, and what is compared is the ratio within a round. Nothing here knows what a
runner does; ``deseptr compare`` hands in models.
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
    """Durations ``[rounds, runners]`` in ns, each row the runners' calls of one round, columns in their order.

    In a round each runner is called twice in a row, in an order drawn anew: once untimed, which brings its weights and
    buffers back into the caches that the runner before it has used, and once timed. So a duration is that of a runner
    in a loop of its own, not of one that follows another. All run in this process, on its thread; Python's garbage
    collector rests meanwhile.

    Args:
        runners: what to time, by name.
        rounds: how many.
        warm_up: untimed calls of each runner before the first round.
        seed: draws the orders.
        now_ns: the clock.
        progress: told the number of rounds so far after each.

    Raises:
        ValueError: if there is no runner or no round.
    """
    if not runners or rounds < 1:
        raise ValueError(f"something to time and a round are wanted. Received: {len(runners)} runners, {rounds} rounds")
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
    """Latency of one runner, and how it compares with the first one in the same rounds.

    Args:
        median_us: of its calls, as the other quantiles.
        p5_us: about the fastest it goes.
        p99_us: what the slowest hundredth takes at least.
        ratio: median over the rounds of its duration over the first runner's; 1 of the first.
        interval: 95 % interval of that ratio; None of the first.
        ratio_of_medians: its median over the first runner's.
        percentiles_us: the 0th to the 100th.
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
    """Figures of every column that :func:`time_interleaved` gave, compared with the first.

    The interval is a percentile bootstrap over rounds (Efron and Tibshirani 1993, chapter 13). It says how well these
    rounds tell the ratio; another process, whose buffers lie elsewhere in memory, may differ by some thousandths, and
    another machine by anything.

    Args:
        durations_ns: ``[rounds, runners]``.
        resamples: of the rounds, with replacement.
        seed: draws them.
    """
    # A clock too coarse for a call says 0.
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
    """Bounds ``[runner]`` that hold 95 % of the resampled medians; each resample draws the same rounds for all."""
    rounds = len(ratios)
    medians = [np.median(ratios[rng.integers(rounds, size=rounds)], axis=0) for _ in range(resamples)]
    low, high = np.quantile(medians, (0.025, 0.975), axis=0)
    return low, high
