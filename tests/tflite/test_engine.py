import dataclasses

import numpy as np
import pytest

from deseptr.contract import ModelError, SetupError
from deseptr.tflite import (
    TfliteEngine,
    at_hop,
    load_engine,
    predict,
    predict_with_embeddings,
    read_tflite,
    without_archive,
)
from deseptr.tflite.bare_model import BareOnnx, BareTflite
from deseptr.tflite.graph import pack, unpack
from deseptr.tflite.runtimes import choose_runtime

INPUT_SCALE, INPUT_ZERO = 1 / 100, -5
OUTPUT_SCALE, OUTPUT_ZERO = 1 / 32, 3


@pytest.fixture
def window(contract):
    return np.random.default_rng(0).normal(0, 8, (contract.window_length, 6)).astype(np.float32)


def test_float_graph_gets_the_window_itself(float_model, contract, weights, window):
    engine = load_engine(float_model)
    expected = weights @ (window / contract.input_range).mean(0)
    np.testing.assert_allclose(engine.invoke(window), expected, rtol=1e-4, atol=1e-5)


def test_int8_graph_gets_the_normalised_window_and_gives_real_logits(int8_model, contract, weights, window):
    engine = load_engine(int8_model)
    normalised = np.clip(window / contract.input_range, (-128 - INPUT_ZERO) / 100, (127 - INPUT_ZERO) / 100)
    expected = weights @ normalised.mean(0)
    # Half an input step after averaging, weights to 8 bits, and half an output step.
    np.testing.assert_allclose(engine.invoke(window), expected, atol=OUTPUT_SCALE)


def test_quantisation_rounds_and_saturates(int8_model, contract):
    engine = load_engine(int8_model)
    window = np.zeros((contract.window_length, 6), np.float32)
    window[0] = np.array(contract.input_range) * 0.014
    window[1] = np.array(contract.input_range) * 99
    window[2] = np.array(contract.input_range) * -99
    quantised = engine.graph_input(window)
    assert quantised[:4, 0].tolist() == [1 + INPUT_ZERO, 127, -128, INPUT_ZERO]
    assert quantised[:4, 5].tolist() == [1 + INPUT_ZERO, 127, -128, INPUT_ZERO]


def test_predict_is_invoke_on_each_window(int8_model, contract):
    engine = load_engine(int8_model)
    windows = np.random.default_rng(1).normal(0, 20, (5, contract.window_length, 6)).astype(np.float32)
    logits = predict(engine, windows)
    assert logits.shape == (5, 3)
    for row, window in zip(logits, windows, strict=True):
        assert (row == engine.invoke(window)).all()


def test_a_graph_of_two_outputs_is_refused(int8_model, make_model):
    whole = unpack(without_archive(int8_model.read_bytes()))
    whole.subgraphs[0].outputs = [*whole.subgraphs[0].outputs, *whole.subgraphs[0].operators[1].outputs]
    with pytest.raises(ModelError, match=r"graph: found 1 input and 2 outputs \(.*\), expected one of each"):
        load_engine(make_model(content=pack(whole)))


@pytest.mark.parametrize("first", ["logits", "embedding"])
def test_the_embedding_is_found_by_its_name_whatever_the_order_of_the_outputs(make_embedded, int8_model, window, first):
    engine = load_engine(make_embedded(first=first))
    logits = engine.invoke(window)
    assert np.array_equal(logits, load_engine(int8_model).invoke(window))
    assert logits.min() < 0 < logits.max()
    assert engine.embedding.dtype == np.float32
    assert np.array_equal(engine.embedding, np.maximum(logits, 0))
    engine.invoke(-window)
    assert np.array_equal(engine.embedding, np.maximum(load_engine(int8_model).invoke(-window), 0))


def test_a_temperature_divides_the_logits_alone(make_embedded, window):
    model = read_tflite(make_embedded())
    calibrated = dataclasses.replace(model, contract=dataclasses.replace(model.contract, logit_temperature=0.5))
    engine = TfliteEngine(calibrated, choose_runtime("auto"))
    np.testing.assert_allclose(np.maximum(engine.invoke(window), 0), 2 * engine.embedding)


def test_a_model_without_embedding_has_none(int8_model, window):
    engine = load_engine(int8_model)
    engine.invoke(window)
    assert engine.embedding is None
    assert at_hop(engine, 0.16).embedding is None
    assert predict_with_embeddings(engine, window[None])[1].shape == (1, 0)


def test_embeddings_of_many_windows(make_embedded, window):
    engine = load_engine(make_embedded())
    logits, embeddings = predict_with_embeddings(at_hop(engine, 0.16), np.stack([window, -window]))
    assert np.array_equal(logits, predict(engine, np.stack([window, -window])))
    assert np.array_equal(embeddings, np.maximum(logits, 0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"name": "Identity_1"},
            r"graph: found 1 input and 2 outputs \(logits, Identity_1\), expected logits and one",
        ),
        ({"width": 0}, r"graph: found 1 input and 2 outputs \(logits, embedding\), expected one of each"),
        ({"width": 4}, r"embedding: found shape \[1, 3\], expected \[1, 4\] as in its contract"),
    ],
)
def test_outputs_other_than_the_contracts_are_refused(make_embedded, changes, message):
    with pytest.raises(ModelError, match=message):
        load_engine(make_embedded(**changes))


def test_an_embedding_that_the_graph_lacks_is_refused(make_model, tiny_contract):
    path = make_model(contract=dataclasses.replace(tiny_contract, embedding_width=3))
    with pytest.raises(ModelError, match=r"1 output \(logits\), expected logits and one named embedding"):
        load_engine(path)


def test_a_graph_that_fails_when_it_runs_is_found_at_loading(int8_model, monkeypatch):
    def fail(self, window):
        raise RuntimeError("gather index out of bounds")

    monkeypatch.setattr(TfliteEngine, "invoke", fail)
    with pytest.raises(ModelError, match="gather index out of bounds"):
        load_engine(int8_model)


def test_engine_has_a_name(int8_model, contract):
    engine = load_engine(int8_model, threads=2)
    assert engine.name.startswith(("ai-edge-litert ", "tflite-runtime "))
    assert (engine.threads, engine.contract) == (2, contract)


@pytest.mark.parametrize("threads", [0, -1, 257, 1_000_000, 2.0, True, "4", float("nan")])
def test_number_of_threads_that_would_exhaust_the_machine_is_refused(int8_model, threads):
    """The runtime would start as many as it is told, and abort the process when the system has no more."""
    with pytest.raises(SetupError, match=r"threads: found .*, expected a whole number, at least 1 and at most 256"):
        load_engine(int8_model, threads=threads)


@pytest.mark.parametrize("make", [lambda threads: BareTflite(b"", "", None, threads), lambda n: BareOnnx(b"", "", n)])
def test_number_of_threads_of_a_bare_model_is_refused_before_the_runtime_is_asked(make):
    with pytest.raises(SetupError, match="threads: found 257"):
        make(257)


def test_wrong_input_shape_is_refused_with_both(make_model):
    path = make_model(input_shape=(1, 40, 6))
    with pytest.raises(ModelError) as caught:
        load_engine(path)
    assert str(caught.value) == (
        f"{path} input: found shape [1, 40, 6], expected [1, 32, 6] as in its contract; "
        "convert its checkpoint again with `deseptr convert RUN`"
    )


def test_wrong_number_of_classes_is_refused_with_both(make_model):
    path = make_model(classes=2)
    with pytest.raises(ModelError, match=r"output: found shape \[1, 2\], expected \[1, 3\] as in its contract"):
        load_engine(path)


@pytest.mark.parametrize("end", ["input", "output"])
@pytest.mark.parametrize("scale", [[0.0], []], ids=["zero", "none"])
def test_int8_without_a_scale_is_refused(make_model, int8_model, end, scale):
    model = unpack(without_archive(int8_model.read_bytes()))
    graph = model.subgraphs[0]
    (index,) = getattr(graph, f"{end}s")
    graph.tensors[index].quantization.scale = scale
    with pytest.raises(ModelError) as caught:
        load_engine(path := make_model(content=pack(model)))
    assert str(caught.value) == (
        f"{path} {end}: found type int8 with scale 0, expected float32, or int8 with a scale; "
        "convert its checkpoint again with `deseptr convert RUN`"
    )


@pytest.mark.parametrize("damage", ["truncated", "noise"])
def test_broken_graph_is_one_line(make_model, int8_model, damage):
    whole = int8_model.read_bytes()
    noise = np.random.default_rng(2).bytes(800)
    content = whole[:200] if damage == "truncated" else whole[:8] + noise
    with pytest.raises(ModelError) as caught:
        load_engine(make_model(content=content))
    assert "cannot run" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_loading_writes_nothing_to_stderr(int8_model, capfd):
    load_engine(int8_model)
    assert capfd.readouterr().err == ""


def test_window_is_left_as_it_was(int8_model, contract, window):
    kept = window.copy()
    window.flags.writeable = False
    load_engine(int8_model).invoke(window)
    assert (window == kept).all()


def test_reference_kernels_are_named_and_give_nearly_the_same(int8_model, window):
    engine = load_engine(int8_model, kernels="reference")
    assert engine.name == f"{load_engine(int8_model).name}, reference kernels"
    np.testing.assert_allclose(engine.invoke(window), load_engine(int8_model).invoke(window), atol=OUTPUT_SCALE)


@pytest.fixture
def viewed_window(viewed_contract):
    shape = (viewed_contract.input_length, 6)
    # Rising, so that the fine views are not nought on average.
    rise = np.arange(shape[0])[:, None] * (-0.5, 0.3, 0.4, 0.05, 0.1, -0.2)
    return (rise + np.random.default_rng(3).normal(0, 1, shape)).astype(np.float32)


def test_a_graph_of_views_is_fed_them_as_they_are(viewed_model, viewed_contract, viewed_window):
    expected = viewed_contract.views.encode(viewed_window, viewed_contract.input_range)
    assert np.array_equal(load_engine(viewed_model).graph_input(viewed_window), expected)


def test_a_float_graph_of_views_is_fed_them_within_one(float_viewed_model, viewed_contract, viewed_window):
    views = viewed_contract.views.encode(viewed_window, viewed_contract.input_range)
    fed = load_engine(float_viewed_model).graph_input(viewed_window)
    assert fed.dtype == np.float32
    assert np.array_equal(fed, views / np.float32(127.5))


@pytest.mark.parametrize("model", ["viewed_model", "float_viewed_model"])
def test_logits_are_those_of_the_views(request, model, viewed_contract, viewed_window, viewed_weights):
    engine = load_engine(request.getfixturevalue(model))
    views = viewed_contract.views.encode(viewed_window, viewed_contract.input_range) / 127.5
    expected = viewed_weights @ views.mean(0)
    assert np.abs(expected).min() > 0.2
    # Weights to 8 bits, and half an output step.
    np.testing.assert_allclose(engine.invoke(viewed_window), expected, atol=OUTPUT_SCALE)


def test_predict_takes_windows_with_their_history(viewed_model, viewed_contract):
    engine = load_engine(viewed_model)
    windows = np.random.default_rng(4).normal(0, 5, (3, viewed_contract.input_length, 6)).astype(np.float32)
    logits = predict(engine, windows)
    assert all((row == engine.invoke(window)).all() for row, window in zip(logits, windows, strict=True))
    with pytest.raises(ValueError, match="shape"):
        predict(engine, windows[:, viewed_contract.history :])


@pytest.mark.parametrize("scale", [(1 / 100, 0), (1 / 127.5, -1)])
def test_views_with_another_scale_are_refused(make_model, viewed_contract, scale):
    path = make_model(contract=viewed_contract, scale=scale)
    with pytest.raises(ModelError) as caught:
        load_engine(path)
    assert str(caught.value) == (
        f"{path} input: found type int8 with scale {scale[0]:g} and zero point {scale[1]}, expected int8 with scale "
        "0.00784314 and zero point 0, those of views; convert its checkpoint again with `deseptr convert RUN`"
    )


def test_a_graph_of_windows_under_a_contract_of_views_is_refused(make_model, int8_model, viewed_contract):
    path = make_model(contract=viewed_contract, content=without_archive(int8_model.read_bytes()))
    with pytest.raises(ModelError, match=r"found shape \[1, 32, 6\], expected \[1, 32, 12\] as in its contract"):
        load_engine(path)


def test_another_hop_changes_the_contract_alone(int8_model, window):
    engine = load_engine(int8_model)
    assert at_hop(engine, None) is engine
    other = at_hop(engine, 0.16)
    assert (other.contract.hop_s, other.name, other.threads) == (0.16, engine.name, engine.threads)
    expected = engine.invoke(window).copy()
    assert expected.any()
    assert np.array_equal(other.invoke(window), expected)
