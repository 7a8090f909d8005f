"""Every rewrite is exact: the lowered graph gives the checkpoint's logits, on random weights, to 1e-5."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deseptr.contract import ConversionError, StftSpec
from deseptr.convert.lowering import inference_graph as lowering
from deseptr.convert.lowering.blocks import centred, encoder, stream_norm, unit_norm, written
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.lowering.lower_front_end import lower_front_end, signed_kernels
from deseptr.train import TrainConfig
from deseptr.train.front_end import DftSpectrogram, quantise
from deseptr.train.models.random_forest import RandomForest
from deseptr.train.models.registry import MODELS

NETWORKS = [name for name, family in MODELS.items() if family.input != "features"]
# Those on views have tests of their own: test_lower_views.py.
OF_WINDOWS = [name for name in NETWORKS if MODELS[name].input != "views"]


@pytest.mark.parametrize("prediction", ["class", "distillation", "mean"])
@pytest.mark.parametrize(("heads", "depth"), [(1, 1), (3, 1), (2, 2)])
def test_whole_student(prediction: str, heads: int, depth: int, windows: np.ndarray, random_student, contract):
    student = random_student(heads, heads=heads, depth=depth, prediction=prediction)
    graph = InferenceGraph(student, contract)
    expected = np.asarray(student(windows))
    assert np.ptp(expected, axis=0).min() > 0.05
    np.testing.assert_allclose(graph.predict(windows), expected, atol=1e-5 * np.abs(expected).max() + 1e-5)


def test_front_end(windows: np.ndarray, random_student, contract):
    student = random_student(0)
    front_end = student.front_end
    expected = np.asarray(front_end(windows)).transpose(0, 2, 1, 3)
    scaled = InferenceGraph(student, contract).encode(windows)
    for window, spectrogram in zip(scaled, expected, strict=True):
        np.testing.assert_allclose(lower_front_end(front_end, tf.constant(window[None]))[0], spectrogram, atol=2e-5)


def test_signed_kernels_come_in_pairs(random_student):
    front_end = random_student(0).front_end
    (loud, sums), (quiet, quiet_sums) = signed_kernels(front_end)
    half = loud.shape[1] // 2
    np.testing.assert_array_equal(loud[:, :half], -loud[:, half:])
    np.testing.assert_array_equal(sums[1:half], sums[half + 1 :])
    np.testing.assert_array_equal(sums[0], -sums[half])
    # The second level is the first, magnified, but for DC.
    of_bins = np.delete(np.arange(2 * half), [0, half])
    np.testing.assert_allclose(quiet, loud[:, of_bins] * front_end.levels[1], rtol=1e-12)
    np.testing.assert_array_equal(quiet_sums, sums[of_bins])
    assert not quiet_sums[:, 0].any()


@pytest.mark.parametrize(("rows", "wanted"), [(4, None), (4, 2), (2, None)])
def test_encoder_block_on_the_residual_stream(rows: int, wanted: int | None, random_student):
    keras.utils.set_random_seed(0)
    block = random_student(5).network.time_blocks[0]
    tokens = np.random.default_rng(0).normal(size=(1, rows, 7, 12)).astype(np.float32)
    stream = tf.constant(written(tokens), tf.float32)
    mine = encoder(block, stream_norm, stream, None if wanted is None else stream[:, :, :wanted])
    expected = written(np.asarray(block(tokens)))[:, :, :wanted]
    np.testing.assert_allclose(mine, expected, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 5])
def test_both_forms_of_the_norm_are_one(rows: int):
    tokens = tf.constant(np.random.default_rng(0).normal(size=(1, rows, 8, 12)), tf.float32)
    np.testing.assert_allclose(stream_norm(tokens), unit_norm(tokens), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("length", "frame", "step"), [(64, 16, 4), (66, 16, 4), (64, 18, 4), (62, 18, 4), (64, 15, 5), (63, 16, 3)]
)
@pytest.mark.parametrize("leading", [0, 1])
def test_front_end_of_any_hop(length: int, frame: int, step: int, leading: int):
    rng = np.random.default_rng(0)
    front_end = DftSpectrogram(StftSpec(frame, step, 3), [1.0, 1.0], levels=[1.0, 8.0])
    window = np.asarray(quantise(rng.normal(size=(1, length, 2)) * 0.3), np.float32)
    expected = np.asarray(front_end(window)).transpose(0, 2, 1, 3)
    mine = np.asarray(lower_front_end(front_end, tf.constant(window), leading))
    np.testing.assert_allclose(mine[:, :, leading:], expected, atol=1e-5)
    assert not mine[:, :, :leading].any()


def test_what_is_written_to_the_stream_has_no_mean_and_the_norm_does_not_see_its_scale():
    tokens = np.random.default_rng(0).normal(size=(1, 2, 3, 8))
    assert np.abs(written(tokens).mean(-1)).max() < 1e-12
    ours = unit_norm(tf.constant(written(tokens), tf.float32))
    np.testing.assert_allclose(ours, centred(tokens) / np.linalg.norm(centred(tokens), axis=-1)[..., None], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "depth"),
    [(name, 1) for name in OF_WINDOWS] + [(name, 2) for name in OF_WINDOWS if name.endswith(("vit", "septr", "first"))],
)
def test_every_model(name: str, depth: int, windows: np.ndarray, random_model, contract):
    classifier = random_model(name, depth=depth)
    expected = np.asarray(classifier(windows))
    assert np.ptp(expected, axis=0).min() > 0.01
    graph = InferenceGraph(classifier, contract)
    np.testing.assert_allclose(graph.predict(windows), expected, atol=1e-5 * np.abs(expected).max() + 1e-5)


@pytest.mark.parametrize("name", [name for name in OF_WINDOWS if MODELS[name].distilled])
@pytest.mark.parametrize("prediction", ["class", "distillation"])
def test_prediction_selects_the_heads(name: str, prediction: str, windows: np.ndarray, random_model, contract):
    classifier = random_model(name, prediction=prediction)
    expected = np.asarray(classifier(windows))
    actual = InferenceGraph(classifier, contract).predict(windows)
    np.testing.assert_allclose(actual, expected, atol=1e-5 * np.abs(expected).max() + 1e-5)


@pytest.mark.parametrize("name", ["vit", "cnn-har", "deit-septr"])
def test_network_without_a_lowering_is_traced(
    name: str, windows: np.ndarray, random_model, contract, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lowering, "LOWERINGS", {})
    classifier = random_model(name)
    graph = InferenceGraph(classifier, contract)
    np.testing.assert_allclose(graph.predict(windows), classifier(windows), rtol=1e-5, atol=1e-5)


def test_every_network_has_a_lowering():
    assert {type(MODELS[name].build(3, TrainConfig())) for name in NETWORKS} == set(lowering.LOWERINGS)


def test_a_forest_is_refused_as_no_network(contract):
    with pytest.raises(ConversionError, match="RandomForest: found a model that is not a network"):
        InferenceGraph(RandomForest(3), contract)
