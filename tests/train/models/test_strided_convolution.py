import numpy as np
import pytest

from deseptr.train.models.strided_convolution import StridedConvolution
from deseptr.train.models.waveform_trunk import WaveformTrunk


@pytest.mark.parametrize(
    ("filters", "kernel", "strides", "shape"),
    [(8, (5, 1), (2, 1), (2, 14, 6, 8)), (8, (3, 2), (1, 2), (2, 30, 3, 8)), (None, (6, 1), (4, 1), (2, 7, 6, 3))],
)
def test_layer_contract(
    filters: int | None,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    shape: tuple[int, ...],
    layer_faults,
    rng: np.random.Generator,
):
    layer, x = StridedConvolution(filters, kernel, strides), rng.normal(size=(2, 32, 6, 3)).astype(np.float32)
    assert not layer_faults(layer, x, shapes=[shape])
    assert layer.compute_output_shape((None, 32, 6, 3)) == (None, *shape[1:])


def test_what_is_added_up_at_first_is_as_loud_as_what_comes_in():
    """Noise of variance 1: through the taps of a depthwise kernel again 1, through a kernel before a ReLU 2."""
    x = np.random.default_rng(0).normal(size=(4, 200, 1, 300)).astype(np.float32)
    depthwise, dense = StridedConvolution(None, (6, 1)), StridedConvolution(200, (6, 1))
    for layer, variance in ((depthwise, 1.0), (dense, 2.0)):
        layer.build(x.shape)
        taps = np.asarray(layer.kernel, np.float64)
        added = taps.size if layer is dense else taps.shape[0] * taps.shape[2]
        fan_in = taps.shape[0] * (taps.shape[2] if layer is dense else 1)
        assert (taps**2).sum() / added * fan_in == pytest.approx(variance, rel=0.1)


def test_every_convolution_of_the_trunk_says_the_shape_that_it_gives():
    trunk = WaveformTrunk(dim=8)
    trunk.build((None, 128, 12))
    assert trunk.shape.compute_output_shape((None, 25, 1, 144)) == (None, 5, 1, 144)
    assert trunk.across.compute_output_shape((None, 25, 1, 96)) == (None, 25, 1, 144)
