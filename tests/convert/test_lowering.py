"""Every rewrite is exact: the lowered graph says what the checkpoint says, on random weights, to 1e-5."""

import numpy as np
import pytest
import tensorflow as tf

from deseptr.contract import ConversionError
from deseptr.convert.blocks import centred, encoder, unit_norm, written
from deseptr.convert.lower_front_end import lower_front_end, signed_kernels
from deseptr.convert.lowering import InferenceGraph


@pytest.mark.parametrize("prediction", ["class", "distillation", "mean"])
@pytest.mark.parametrize(("heads", "depth"), [(1, 1), (3, 1), (2, 2)])
def test_whole_student(prediction: str, heads: int, depth: int, windows: np.ndarray, random_student, contract):
    student = random_student(heads, heads=heads, depth=depth, prediction=prediction)
    graph = InferenceGraph(student, contract)
    expected = np.asarray(student(windows))
    assert np.ptp(expected, axis=0).min() > 0.05
    np.testing.assert_allclose(graph.predict(windows), expected, atol=1e-5 * np.abs(expected).max() + 1e-5)


def test_front_end(windows: np.ndarray, random_student):
    front_end = random_student(0).front_end
    expected = np.asarray(front_end(windows)).transpose(0, 2, 1, 3)
    scaled = np.clip(windows / np.float32(front_end.input_range), -1, 1)
    for window, spectrogram in zip(scaled, expected, strict=True):
        np.testing.assert_allclose(lower_front_end(front_end, tf.constant(window[None]))[0], spectrogram, atol=2e-5)


def test_signed_kernels_come_in_pairs(random_student):
    analysis, synthesis = signed_kernels(random_student(0).front_end)
    half = analysis.shape[1] // 2
    np.testing.assert_array_equal(analysis[:, :half], -analysis[:, half:])
    np.testing.assert_array_equal(synthesis[1:half], synthesis[half + 1 :])
    np.testing.assert_array_equal(synthesis[0], -synthesis[half])


@pytest.mark.parametrize("wanted", [None, 2])
def test_encoder_block_on_the_residual_stream(wanted: int | None, random_student):
    block = random_student(5).network.time_blocks[0]
    tokens = np.random.default_rng(0).normal(size=(1, 4, 7, 12)).astype(np.float32)
    mine = encoder(block, tf.constant(written(tokens), tf.float32), wanted)
    expected = written(np.asarray(block(tokens)))[:, :, :wanted]
    np.testing.assert_allclose(mine, expected, atol=1e-5)


def test_what_is_written_to_the_stream_has_no_mean_and_the_norm_does_not_see_its_scale():
    tokens = np.random.default_rng(0).normal(size=(1, 2, 3, 8))
    assert np.abs(written(tokens).mean(-1)).max() < 1e-12
    ours = unit_norm(tf.constant(written(tokens), tf.float32))
    np.testing.assert_allclose(ours, centred(tokens) / np.linalg.norm(centred(tokens), axis=-1)[..., None], atol=1e-6)


def test_network_without_a_lowering_is_named(random_student, contract):
    from deseptr.train.classifier import WindowClassifier
    from deseptr.train.models import ResNet18

    teacher = WindowClassifier(random_student(0).front_end, ResNet18(3, width=4))
    with pytest.raises(ConversionError, match="ResNet18: found a network without a lowering, expected DeSepTr"):
        InferenceGraph(teacher, contract)
