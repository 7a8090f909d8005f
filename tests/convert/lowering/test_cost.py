"""What a lowering is for beside the same result: no operation more than it takes, and small kernels."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from deseptr.contract import StftSpec
from deseptr.convert.lowering.lower_convolutions import lower_stem
from deseptr.convert.lowering.lower_front_end import lower_front_end
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.models.resnet18 import ResNetStem


def operations(function: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    traced = tf.function(function).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    return traced.graph.get_operations()


def kernels(function: Callable[[Any], Any], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes ``[rows, columns, inputs, outputs]`` of the kernels of all convolutions."""
    return [tuple(each.inputs[1].shape) for each in operations(function, shape) if each.type == "Conv2D"]


@pytest.mark.parametrize(("frame", "hops"), [(16, 4), (18, 5)])
def test_a_frame_is_projected_in_as_many_hops_as_it_is_long(frame: int, hops: int):
    front_end = DftSpectrogram(StftSpec(frame, 4, 3), [1.0, 1.0])
    analysis, *_ = kernels(lambda window: lower_front_end(front_end, window), (1, 64, 2))
    assert analysis[:3] == (1, hops, 4)


@pytest.mark.parametrize(("length", "padded"), [(64, False), (66, False), (62, True)])
def test_only_a_window_that_ends_within_a_hop_is_padded(length: int, padded: bool):
    """Frames of 18 samples, of which the last ends with the window of 62, take hops to sample 64."""
    frame = 18 if padded else 16
    front_end = DftSpectrogram(StftSpec(frame, 4, 3), [1.0, 1.0])
    types = {each.type for each in operations(lambda window: lower_front_end(front_end, window), (1, length, 2))}
    assert bool({"Pad", "PadV2"} & types) == padded


@pytest.mark.parametrize(
    ("kernel", "bins", "shape"), [((7, 7), 17, (7, 4, 12, 8)), ((5, 5), 17, (5, 5, 6, 8)), ((7, 7), 16, (7, 7, 6, 8))]
)
def test_seven_taps_over_an_odd_number_of_bins_are_four_over_pairs(
    kernel: tuple[int, int], bins: int, shape: tuple[int, ...]
):
    stem = ResNetStem(8)
    stem.convolution = keras.layers.Conv2D(8, kernel, strides=2, padding="same", use_bias=False)
    image = np.random.default_rng(0).normal(size=(1, bins, 9, 6)).astype(np.float32)
    stem.build(image.shape)
    transposed = image.transpose(0, 2, 1, 3)

    def spectrogram(leading: int = 0) -> Any:
        return tf.constant(np.pad(transposed, [(0, 0), (0, 0), (leading, 0), (0, 0)]))

    assert kernels(lambda _: lower_stem(stem, spectrogram), (1, 1))[0] == shape
    mine = np.asarray(lower_stem(stem, spectrogram)).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(mine, stem(image), atol=1e-5)
