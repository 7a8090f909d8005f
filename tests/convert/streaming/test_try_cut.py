from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.convert import Conversion, Gate
from deseptr.convert.micro.columns import differing_windows
from deseptr.convert.micro.runtime import measure_arena
from deseptr.convert.recipe import Recipe
from deseptr.convert.streaming import try_cut as module
from deseptr.convert.streaming.bit_gate import compare_bits, joined
from deseptr.convert.streaming.try_cut import try_cut
from deseptr.data import Dataset, Recording, cut_windows
from deseptr.report.conversion_tables import streaming_rows
from deseptr.tflite.graph import pack, unpack
from deseptr.tflite.installed_engines import engines_here


@pytest.fixture(scope="module")
def windows(packaged):
    """Windows of two recordings, as a run keeps them."""
    rng = np.random.default_rng(3)
    recordings = tuple(
        Recording(
            np.cumsum(rng.normal((0, 0, 0.1, 0, 0, 0), 0.4, (length, 6)), axis=0).astype(np.float32),
            50.0,
            str(length),
            np.zeros(length, np.int16),
        )
        for length in (430, 300)
    )
    contract = packaged.contract
    cut = cut_windows(
        Dataset(recordings, ("any",)),
        window_length=contract.window_length,
        hop_length=contract.hop_length,
        rate_hz=50.0,
        history=contract.history,
    )
    return cut.signals


def test_overlapping_windows_are_one_recording(packaged, windows):
    assert [len(recording) for recording in joined(windows, packaged.contract.hop_length)] == [415, 287]
    assert [len(recording) for recording in joined(windows[::2], packaged.contract.hop_length)] == [159] * 4


def test_every_engine_gives_the_bits_of_whole_windows(packaged, flatbuffer, windows):
    cut = try_cut(flatbuffer, packaged.contract, Recipe(), windows)
    assert cut.graphs is not None
    assert [each.engine for each in cut.comparisons] == [engine.name for engine in engines_here()]
    # Each of 17 and 9 hops of a stride, and twice as many of half of one.
    assert [each.windows for each in cut.comparisons] == [17 + 9 + 33 + 17] * len(cut.comparisons)
    assert not any(each.differing for each in cut.comparisons)
    report = told_by_report(packaged, flatbuffer, cut)
    assert report.startswith("6 columns of 48 samples, 16 apart; a window with one new column takes 24% of")
    told = cut.to_dict()
    assert (told["written"], told["reason"], told["columns"], told["column_stride"]) == (True, None, 6, 16)


def told_by_report(packaged, flatbuffer, cut) -> str:
    kept = SimpleNamespace()
    conversion = Conversion(Path("m"), Path("m"), flatbuffer, packaged.contract, (kept,), Gate(), (), streaming=cut)
    ((_, told),) = streaming_rows(conversion)
    return told


@pytest.mark.slow
def test_micro_gives_the_same_bits_and_needs_less_memory(packaged, flatbuffer, windows):
    pytest.importorskip("tflite_micro")
    cut = try_cut(flatbuffer, packaged.contract, Recipe(target="micro"), windows)
    assert (cut.comparisons[-1].engine, cut.comparisons[-1].differing) == ("TensorFlow Lite Micro", 0)
    assert cut.comparisons[-1].windows == len(windows)
    told = cut.to_dict()
    assert {"AddConv2D", "AddSoftmax"} <= {op for name in ("column", "time") for op in told[name]["resolver_ops"]}
    assert cut.arenas["column"].bytes + cut.arenas["time"].bytes < measure_arena(flatbuffer).bytes


def test_micro_counts_windows_with_other_bits(packaged, flatbuffer, graphs, windows):
    pytest.importorskip("tflite_micro")
    assert differing_windows(flatbuffer, graphs, packaged.contract, windows[:3]) == 0
    wrong = replace(graphs, column=other_bias(graphs.column))
    assert differing_windows(flatbuffer, wrong, packaged.contract, windows[:3]) > 0


def other_bias(column: bytes) -> bytes:
    """A column graph with one other bias, by which it is another model."""
    model = unpack(column)
    convolution = next(op for op in model.subgraphs[0].operators if len(op.inputs) == 3)
    bias = model.buffers[model.subgraphs[0].tensors[convolution.inputs[2]].buffer]
    values = np.frombuffer(bytes(bytearray(bias.data)), np.int32) + 4000
    bias.data = np.frombuffer(values.astype(np.int32).tobytes(), np.uint8)
    return pack(model)


def test_columns_with_other_bits_are_counted_and_not_written(packaged, flatbuffer, graphs, windows, monkeypatch):
    wrong = replace(graphs, column=other_bias(graphs.column))
    found = compare_bits(engines_here()[:1], flatbuffer, wrong, packaged.contract, windows)
    assert found[0].differing > 0
    monkeypatch.setattr(module, "cut_graph", lambda flatbuffer: wrong)
    cut = try_cut(flatbuffer, packaged.contract, Recipe(), windows)
    assert cut.graphs is None
    assert f"{found[0].engine}: {found[0].differing} of {found[0].windows} windows differ" in cut.reason


class Unable:
    """An engine that cannot run the graph."""

    name = "unable"

    def load(self, model):
        raise ModelError(model.path, found="an operation", expected="another", next_step="none")


def test_an_engine_that_cannot_run_the_whole_graph_is_left_out(packaged, flatbuffer, graphs, windows):
    able = engines_here()[:1]
    found = compare_bits([Unable(), *able, Unable()], flatbuffer, graphs, packaged.contract, windows[:3])
    assert [each.engine for each in found] == [each.name for each in able]
    assert found[0].windows > 0


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (Recipe("float32"), "sums of floats"),
        (Recipe(float_layers=("a",)), "sums of floats"),
        (Recipe(target="coral"), "an Edge TPU runs whole windows"),
    ],
)
def test_other_recipes_have_whole_windows_alone(packaged, flatbuffer, windows, recipe, reason):
    cut = try_cut(flatbuffer, packaged.contract, recipe, windows)
    assert cut.graphs is None
    assert reason in cut.reason
    assert cut.to_dict()["reason"] == cut.reason
