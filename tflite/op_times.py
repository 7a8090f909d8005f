"""Time of each operation of a graph, measured from outside by timing prefixes of the graph.

The runtimes' own profiler is not in their Python packages, and it counts a whole partition of a delegate as one
operation. Here the first operation is run alone, then the first two, and so on up to the whole graph, all interleaved;
the time of an operation is the difference between its prefix and the previous one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError

from .bare_model import BareTflite, random_feeds
from .graph import Node, prefix_graph, read_graph
from .interleaved import Runner, time_interleaved
from .runtimes import choose_runtime

Load = Callable[[bytes], BareTflite]
# An unrolled recurrent network has thousands of operations: packing a prefix for each would take hours.
_EVERY_PREFIX_UP_TO = 200
_PREFIXES_BEYOND = 40


@dataclass(frozen=True)
class OpTime:
    """One operation and its time.

    Args:
        op: name of the operation, ``CONV_2D``.
        layer: name of its output.
        cumulative_us: median time of the graph that ends with it; None if the runtime could not run that graph.
        difference_us: difference to the previous prefix as measured: negative through noise, or if the runtime fuses
            the operation with its predecessor. None if either time is None.
        own_us: its part of the monotone times, never negative; None if its prefix could not run: its time is then part
            of the next one that could.
    """

    op: str
    layer: str
    cumulative_us: float | None
    difference_us: float | None
    own_us: float | None


@dataclass(frozen=True)
class OpTimes:
    """The operations of a graph in order of execution, and the conditions of the measurement.

    Args:
        nodes: the operations.
        invoke_us: median time of the whole graph, without copies into and out of it.
        runtime: name and version of the runtime.
        kernels: kernels of the runtime, one of :data:`~deseptr.tflite.runtimes.KERNELS`.
        threads: threads that it could use.
        rounds: number of timings of each prefix.
        skipped: prefixes that could not run, with the reason.
    """

    nodes: tuple[OpTime, ...]
    invoke_us: float
    runtime: str
    kernels: str
    threads: int
    rounds: int
    skipped: tuple[str, ...] = ()

    @property
    def monotone_us(self) -> float:
        """Sum of the operations' own times: approximately the time of the whole graph."""
        return sum(node.own_us or 0.0 for node in self.nodes)

    @property
    def share_by_op(self) -> dict[str, float]:
        """Share of the time by kind of operation, the largest first."""
        sums: dict[str, float] = {}
        for node in self.nodes:
            sums[node.op] = sums.get(node.op, 0.0) + (node.own_us or 0.0)
        whole = self.monotone_us
        return {op: us / whole if whole else 0.0 for op, us in sorted(sums.items(), key=lambda pair: -pair[1])}

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            **asdict(self),
            "nodes": [asdict(node) for node in self.nodes],
            "monotone_us": self.monotone_us,
            "skipped": list(self.skipped),
            "share_by_op": self.share_by_op,
        }


def op_times(
    content: bytes,
    rounds: int = 60,
    threads: int = 1,
    kernels: str = "default",
    seed: int = 0,
    *,
    load: Load | None = None,
    now_ns: Callable[[], int] = time.perf_counter_ns,
) -> OpTimes:
    """Time every operation of a flatbuffer by timing prefixes of its graph.

    All prefixes are in memory at once and get the same noise as input. The time of the first operation includes the
    cost of the call; that of an operation after a change from a delegate's kernels to the runtime's includes it. Of a
    graph of more than 200 operations 40 prefixes are timed, evenly chosen: the time of one is that of all operations
    since the one before.

    The medians of the prefixes are noisy and sometimes decrease. The operations' own times are the steps of the
    non-decreasing sequence that is closest in the sum of squares, found by pooling adjacent violators (Barlow et al.
    1972). A running maximum would be simpler, but takes every prefix that was measured too slow as true: it only errs
    upwards, adds the noise to that operation and leaves no time for those after it. Pooling errs equally in both
    directions. Its last value, and thus the sum of the own times, may differ a little from the time of the whole graph.

    Args:
        content: a flatbuffer, with or without an archive behind it.
        rounds: timed calls of each prefix.
        threads: threads that the runtime may use.
        kernels: kernels to use, one of :data:`~deseptr.tflite.runtimes.KERNELS`.
        seed: seed of the noise and the orders.
        load: creates a runnable model from a flatbuffer; uses the first installed runtime by default.
        now_ns: the clock.

    Raises:
        ModelError: if the flatbuffer cannot be parsed, or if the whole graph cannot be run.
        SetupError: if there is no TFLite runtime.
    """
    nodes = read_graph(content).nodes
    load = load or _loader(threads, kernels)
    models, skipped = _prefixes(content, nodes, load)
    whole = models[len(nodes) - 1]
    (feed,) = random_feeds(whole, 1, seed)
    runners = {str(index): _invoker(model, feed) for index, model in models.items()}
    durations = time_interleaved(runners, rounds, seed=seed, now_ns=now_ns)
    medians = dict(zip(models, np.median(durations, axis=0) / 1000.0, strict=True))
    return OpTimes(
        nodes=_timed_nodes(nodes, medians),
        invoke_us=float(medians[len(nodes) - 1]),
        runtime=whole.runtime,
        kernels=kernels,
        threads=threads,
        rounds=rounds,
        skipped=skipped,
    )


def pooled(values: Sequence[float]) -> NDArray[np.float64]:
    """The non-decreasing sequence that is closest to ``values`` in the sum of squares.

    >>> pooled([1.0, 3.0, 2.0, 4.0]).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    return np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])


def _loader(threads: int, kernels: str) -> Load:
    runtime = choose_runtime("auto")
    return lambda content: BareTflite(content, "model", runtime, threads, kernels)


def _prefixes(content: bytes, nodes: Sequence[Node], load: Load) -> tuple[dict[int, BareTflite], tuple[str, ...]]:
    """The timed prefixes that can run, by the index of their last operation, and those that cannot, with the reason."""
    models, skipped = {}, []
    stride = 1 if len(nodes) <= _EVERY_PREFIX_UP_TO else -(-len(nodes) // _PREFIXES_BEYOND)
    for index, node in enumerate(nodes):
        if (len(nodes) - 1 - index) % stride:
            continue
        try:
            models[index] = load(prefix_graph(content, index + 1))
        except ModelError as error:
            if index == len(nodes) - 1:
                raise
            skipped.append(f"{node.op} {node.name.split(';')[0]}: {error.found}")
    return models, tuple(skipped)


def _invoker(model: BareTflite, feed: Sequence[NDArray[Any]]) -> Runner:
    model.feed(feed)
    return model.invoke


def _timed_nodes(nodes: Sequence[Node], medians: Mapping[int, float]) -> tuple[OpTime, ...]:
    own = dict(zip(medians, np.diff(pooled(list(medians.values())), prepend=0.0), strict=True))
    found = []
    for index, node in enumerate(nodes):
        cumulative, before = medians.get(index), medians.get(index - 1) if index else 0.0
        difference = None if cumulative is None or before is None else float(cumulative - before)
        found.append(
            OpTime(
                node.op,
                node.name,
                None if cumulative is None else float(cumulative),
                difference,
                float(own[index]) if index in own else None,
            )
        )
    return tuple(found)
