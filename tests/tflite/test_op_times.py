from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.device import default_model
from deseptr.tflite.bare_model import BareTflite, Port
from deseptr.tflite.graph import prefix_graph, read_graph
from deseptr.tflite.op_times import op_times, pooled
from deseptr.tflite.runtimes import choose_runtime


class Prefix:
    """A prefix that takes a set time on a clock that only prefixes move on."""

    runtime = "fake 1"
    inputs = (Port("window", (1, 2), np.dtype(np.float32)),)

    def __init__(self, lab: "Lab", duration_ns: int) -> None:
        self._lab, self._duration_ns = lab, duration_ns

    def feed(self, arrays: Any) -> None:
        self._lab.fed.append(arrays)

    def invoke(self) -> None:
        self._lab.time_ns += self._duration_ns


class Lab:
    """Loads the prefixes of a graph in turn; a prefix of no duration cannot run."""

    def __init__(self, *durations_ns: int | None) -> None:
        self.time_ns = 0
        self.fed: list[Any] = []
        self._durations, self._next = durations_ns, count()

    def load(self, content: bytes) -> Any:
        duration = self._durations[next(self._next)]
        if duration is None:
            raise ModelError("model", found="no kernel", expected="one", next_step="leave it")
        return Prefix(self, duration)

    def now_ns(self) -> int:
        return self.time_ns


@pytest.fixture
def timed(int8_model: Path) -> Callable[..., Any]:
    """Times of the RESHAPE, CONV_2D and RESHAPE of a tiny model whose prefixes take given times."""

    def run(*durations_ns: int | None) -> Any:
        lab = Lab(*durations_ns)
        times = op_times(int8_model.read_bytes(), 3, load=lab.load, now_ns=lab.now_ns)
        assert lab.fed
        assert all(np.array_equal(fed, lab.fed[0]) for fed in lab.fed)
        return times

    return run


def test_time_of_an_operation_is_what_its_prefix_takes_longer(timed):
    times = timed(1000, 5000, 6000)
    assert [(node.op, node.layer) for node in times.nodes] == [
        ("RESHAPE", "image"),
        ("CONV_2D", "convolved"),
        ("RESHAPE", "logits"),
    ]
    assert [node.cumulative_us for node in times.nodes] == [1.0, 5.0, 6.0]
    assert [node.difference_us for node in times.nodes] == [node.own_us for node in times.nodes] == [1.0, 4.0, 1.0]
    assert (times.invoke_us, times.monotone_us, times.runtime, times.rounds) == (6.0, 6.0, "fake 1", 3)
    assert times.share_by_op == pytest.approx({"CONV_2D": 4 / 6, "RESHAPE": 2 / 6})
    assert list(times.share_by_op) == ["CONV_2D", "RESHAPE"]


def test_prefix_that_is_faster_than_the_one_before_is_pooled_with_it(timed):
    times = timed(1000, 6000, 5000)
    assert [node.difference_us for node in times.nodes] == [1.0, 5.0, -1.0]
    assert [node.own_us for node in times.nodes] == [1.0, 4.5, 0.0]
    assert (times.invoke_us, times.monotone_us) == (5.0, 5.5)


def test_prefix_that_cannot_run_is_reported_and_counted_with_the_next(timed):
    times = timed(1000, None, 6000)
    assert [node.cumulative_us for node in times.nodes] == [1.0, None, 6.0]
    assert [node.difference_us for node in times.nodes] == [1.0, None, None]
    assert [node.own_us for node in times.nodes] == [1.0, None, 5.0]
    assert times.skipped == ("CONV_2D convolved: no kernel",)


def test_graph_that_cannot_run_is_refused(timed):
    with pytest.raises(ModelError, match="no kernel"):
        timed(1000, 2000, None)


def test_clock_too_coarse_divides_by_no_zero(timed):
    assert timed(0, 0, 0).share_by_op == {"RESHAPE": 0.0, "CONV_2D": 0.0}


def test_pooling_gives_the_nearest_sequence_that_never_falls():
    assert pooled([1, 3, 2, 4]).tolist() == [1, 2.5, 2.5, 4]
    assert pooled([3, 2, 1]).tolist() == [2, 2, 2]
    noisy = np.random.default_rng(0).normal(np.arange(200) / 10)
    fitted = pooled(noisy)
    assert (np.diff(fitted) >= 0).all()
    assert fitted.sum() == pytest.approx(noisy.sum())
    # A running maximum leaves noise in: it lies above the truth.
    assert abs(np.mean(fitted - np.arange(200) / 10)) < 0.2 < np.mean(np.maximum.accumulate(noisy) - noisy)


def test_prefix_keeps_what_only_later_operations_read():
    content = default_model().read_bytes()
    nodes = read_graph(content).nodes
    branching = 0
    for size in range(1, len(nodes) + 1):
        graph = read_graph(prefix_graph(content, size))
        assert [(n.op, n.name) for n in graph.nodes] == [(n.op, n.name) for n in nodes[:size]]
        read = {tensor.index for node in graph.nodes for tensor in node.inputs}
        assert {t.index for n in graph.nodes for t in n.outputs} - read == {t.index for t in graph.outputs}
        branching += len(graph.outputs) > 1
    assert branching


def test_prefix_computes_what_the_graph_does_without_the_weights_that_follow(int8_model: Path):
    content, runtime = int8_model.read_bytes(), choose_runtime("auto")
    whole, prefix, first = (prefix_graph(content, size) for size in (3, 2, 1))
    assert len(first) < len(prefix) - 500
    models = [BareTflite(each, "prefix", runtime) for each in (whole, prefix)]
    feed = [port.random(np.random.default_rng(0)) for port in models[0].inputs]
    logits, convolved = (model.run(feed)[0].ravel() for model in models)
    np.testing.assert_array_equal(logits, convolved)


def test_real_graph_has_a_time_for_every_operation(request: pytest.FixtureRequest):
    pytest.importorskip("keras")
    content = request.getfixturevalue("tiny_tflite").read_bytes()
    times = op_times(content, rounds=2)
    graph = read_graph(content)
    assert [(node.op, node.layer) for node in times.nodes] == [(node.op, node.name) for node in graph.nodes]
    assert times.share_by_op.keys() == graph.ops.keys()
    assert sum(times.share_by_op.values()) == pytest.approx(1)
    assert all(node.own_us is not None and node.own_us >= 0 for node in times.nodes)
    assert times.skipped == ()
    assert times.to_dict()["nodes"][0]["op"] == times.nodes[0].op
