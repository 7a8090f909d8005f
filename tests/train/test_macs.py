import keras
import numpy as np
import pytest
from keras import layers, ops

from deseptr.contract import ModelError, StftSpec
from deseptr.train import TrainConfig
from deseptr.train.classifier import WindowClassifier
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.macs import window_macs
from deseptr.train.models import ResNet18
from deseptr.train.models.convolution import NormedConvolution
from deseptr.train.models.random_forest import RandomForest
from deseptr.train.models.registry import MODELS
from deseptr.train.models.transformer import SelfAttention
from deseptr.train.window_front_end import WindowScale

SPEC = StftSpec(32, 4)


def count(layer: layers.Layer, *shape: int) -> int | None:
    """Of a layer whose input is a window reshaped."""
    model = keras.Sequential([layers.Reshape(shape), layer])
    model.build((None, int(np.prod(shape)), 1))
    return window_macs(model, (int(np.prod(shape)), 1))


class Einsum(layers.Layer):
    def __init__(self, equation: str) -> None:
        super().__init__()
        self.equation = equation

    def call(self, x):
        import tensorflow as tf

        return tf.einsum(self.equation, x, x)


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (layers.Conv2D(8, (3, 5), strides=2, padding="same"), (17, 25, 6), 9 * 13 * 8 * 3 * 5 * 6),
        (layers.Conv1D(4, 5, padding="valid"), (20, 3), 16 * 4 * 5 * 3),
        (layers.DepthwiseConv2D((5, 1), depth_multiplier=2), (12, 6, 3), 8 * 6 * (3 * 2) * 5),
        (NormedConvolution(7, (5, 1), separable=True), (12, 6, 3), 12 * 6 * (3 * 5 + 3 * 7)),
        (layers.Dense(5), (4, 3), 4 * 3 * 5),
        (SelfAttention(12, 3), (7, 12), 7 * 12 * 36 + 2 * 7 * 7 * 12 + 7 * 12 * 12),
        (Einsum("bij,bkj->bik"), (7, 12), 7 * 7 * 12),
        (layers.GRU(16, return_sequences=True), (10, 4), 10 * (4 + 16) * 3 * 16),
        (layers.GRU(16, go_backwards=True), (10, 4), 10 * (4 + 16) * 3 * 16),
    ],
)
def test_count_is_that_by_hand(layer: layers.Layer, shape: tuple[int, ...], macs: int):
    assert count(layer, *shape) == macs


def test_front_end_is_a_strided_convolution_and_a_product():
    front_end = DftSpectrogram(SPEC, [10.0] * 6)
    model = keras.Sequential([front_end])
    model.build((None, 128, 6))
    projections = 1 + 15 * 4 + 1
    assert window_macs(model, (128, 6)) == 25 * 6 * projections * (32 + 17)


def test_resnet18_macs_follow_from_its_layers():
    """On a grid of one cell its kernels have one tap, and the one that leads there from two by two cells has four."""
    front_end = DftSpectrogram(SPEC, [10.0] * 6)
    model = WindowClassifier(front_end, ResNet18(6))
    model.build((None, 128, 6))
    stem = 9 * 13 * 64 * 49 * 6
    stages = 5 * 7 * 4 * 9 * 64**2
    for size, width, first, others in ((3 * 4, 128, 9, 9), (2 * 2, 256, 9, 9), (1 * 1, 512, 4, 1)):
        stages += size * (first * width * width // 2 + 3 * others * width**2 + width * width // 2)
    of_front_end = window_macs(keras.Sequential([front_end]), (128, 6))
    assert of_front_end is not None
    macs = window_macs(model, (128, 6))
    assert macs == of_front_end + stem + stages + 512 * 6


# Those on views are counted in the tests of their own modules.
@pytest.mark.parametrize("name", [n for n, family in MODELS.items() if family.input in ("window", "spectrogram")])
def test_every_network_is_counted_and_left_as_it_was(name: str):
    family = MODELS[name]
    front_end = WindowScale([10.0] * 6) if family.input == "window" else DftSpectrogram(SPEC, [10.0] * 6)
    model = WindowClassifier(front_end, family.build(6, TrainConfig(model=name)))
    model.build((None, 128, 6))
    macs = window_macs(model, (128, 6))
    assert macs is not None
    assert macs > model.count_params()
    assert not any(getattr(layer, "unroll", False) for layer in model.network.layers)


def test_forest_has_none():
    assert window_macs(RandomForest(3), (128, 6)) is None


def test_operation_without_a_count_is_named():
    class Spectrum(layers.Layer):
        def call(self, x):
            return ops.rfft(x)[0]

    with pytest.raises(ModelError, match="found the operation RFFT, expected one of Conv2D"):
        count(Spectrum(), 4, 8)
    with pytest.raises(ModelError, match="einsum with an ellipsis"):
        count(Einsum("...i,...i->..."), 4, 8)
