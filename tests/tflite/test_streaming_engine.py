from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import ModelError
from deseptr.convert.drop_embedding import without_embedding
from deseptr.convert.streaming.cut import cut_graph
from deseptr.device import default_model
from deseptr.tflite import TfliteEngine, TfliteFile, read_tflite, without_archive
from deseptr.tflite.graph import pack, unpack
from deseptr.tflite.runtimes import choose_runtime
from deseptr.tflite.streaming_engine import StreamingEngine

MODEL = read_tflite(default_model())
RUNTIME = choose_runtime("auto")
GRAPHS = cut_graph(without_archive(MODEL.content))


WHOLE = TfliteEngine(MODEL, RUNTIME)
# Each second segment has another signal: what was kept of the one before shows.
SIGNALS = np.random.default_rng(1).normal((0, 0, 9.8, 0, 0, 0), 3, (2, 9000, 6)).astype(np.float32)


def swapped() -> TfliteFile:
    """The packaged model with its outputs in the other order."""
    model = unpack(without_archive(MODEL.content))
    model.subgraphs[0].outputs = list(reversed(model.subgraphs[0].outputs))
    return replace(MODEL, content=pack(model))


def plain() -> TfliteFile:
    """The packaged model without its embedding."""
    contract = replace(MODEL.contract, embedding_width=0)
    return replace(MODEL, content=without_embedding(without_archive(MODEL.content)), contract=contract)


@pytest.fixture(scope="module")
def graphs():
    return GRAPHS


def window(start: int, segment: int = 0) -> np.ndarray:
    return SIGNALS[segment % 2][start:][: MODEL.contract.input_length]


STEPS = st.tuples(st.sampled_from(["hop"] * 8 + ["other", "segment"]), st.integers(0, 200))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.lists(STEPS, max_size=40))
def test_logits_are_the_whole_graphs_whatever_the_starts(hop, steps):
    engine = StreamingEngine(MODEL, GRAPHS, hop, RUNTIME)
    start = segment = 0
    for kind, amount in [("other", 0), *steps]:
        segment += kind == "segment"
        start = amount if kind == "segment" else start + (hop if kind == "hop" else amount)
        samples = window(start, segment)
        assert np.array_equal(engine.invoke(samples, start, segment), WHOLE.invoke(samples))


@pytest.mark.parametrize("starts", [(0, 64), (3, 13), (13, 19), (5, 5)])
def test_a_new_segment_and_another_phase_share_no_columns(starts):
    engine = StreamingEngine(MODEL, GRAPHS, 16, RUNTIME)
    for segments in ((0, 1), (2, 2)):
        for start, segment in zip(starts, segments, strict=True):
            samples = window(start, segment)
            assert np.array_equal(engine.invoke(samples, start, segment), WHOLE.invoke(samples))


def test_both_engines_divide_by_the_temperature(graphs):
    calibrated = replace(MODEL, contract=replace(MODEL.contract, logit_temperature=0.6))
    parts, whole = StreamingEngine(calibrated, graphs, 64, RUNTIME), TfliteEngine(calibrated, RUNTIME)
    logits = whole.invoke(window(0))
    assert np.array_equal(parts.invoke(window(0), 0), logits)
    np.testing.assert_allclose(logits, WHOLE.invoke(window(0)) * WHOLE.contract.logit_temperature / 0.6, rtol=1e-6)


@pytest.mark.parametrize("make", [lambda: MODEL, swapped])
def test_the_embedding_is_the_whole_graphs(make):
    model = make()
    parts = StreamingEngine(model, cut_graph(without_archive(model.content)), 64, RUNTIME)
    for start in (0, 64, 128):
        assert np.array_equal(parts.invoke(window(start), start), WHOLE.invoke(window(start)))
        assert np.array_equal(parts.embedding, WHOLE.embedding)
        assert parts.embedding.shape == (64,)
        assert parts.embedding.std() > 0.1


def test_the_same_model_without_embedding_gives_the_same_logits():
    model = plain()
    parts = StreamingEngine(model, cut_graph(model.content), 64, RUNTIME)
    whole = TfliteEngine(model, RUNTIME)
    for logits in (parts.invoke(window(0), 0), whole.invoke(window(0))):
        assert np.array_equal(logits, WHOLE.invoke(window(0)))
    assert (parts.embedding, whole.embedding) == (None, None)


def test_parts_without_the_embedding_of_the_contract_are_refused(graphs):
    with pytest.raises(ModelError, match="column and time graph"):
        StreamingEngine(MODEL, cut_graph(plain().content), 64, RUNTIME)
    with pytest.raises(ModelError, match="column and time graph"):
        StreamingEngine(plain(), graphs, 64, RUNTIME)


def test_a_hop_computes_no_more_than_its_columns(graphs):
    for hop, columns in ((16, 1), (8, 1), (32, 2), (24, 3), (64, 4), (128, 6)):
        engine = StreamingEngine(MODEL, graphs, hop, RUNTIME)
        column, calls = engine._column, []
        invoke = column.invoke
        column.invoke = lambda calls=calls, invoke=invoke: (calls.append(1), invoke())[1]
        # Not at a multiple of the column's stride, as after a gap.
        for start in range(5, 5 + 20 * hop, hop):
            before = len(calls)
            engine.invoke(window(start), start)
        assert len(calls) - before == columns == graphs.streaming.new_columns(hop)


def test_parts_of_another_model_are_refused(graphs):
    exchanged = replace(graphs, column=graphs.time, time=graphs.column)
    with pytest.raises(ModelError, match="column and time graph"):
        StreamingEngine(MODEL, exchanged, 16, RUNTIME)
    for wrong in ({"columns": 7}, {"column_length": 47}, {"column_stride": 17}):
        other = replace(graphs, streaming=replace(graphs.streaming, **wrong))
        with pytest.raises(ModelError, match="columns of"):
            StreamingEngine(MODEL, other, 16, RUNTIME)


def test_a_broken_part_is_refused(graphs):
    with pytest.raises(ModelError, match="column graph"):
        StreamingEngine(MODEL, replace(graphs, column=b"no flatbuffer"), 16, RUNTIME)
