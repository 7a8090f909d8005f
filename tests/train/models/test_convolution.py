import numpy as np
import pytest

from deseptr.train.models.convolution import NormedConvolution


@pytest.mark.parametrize("separable", [False, True])
def test_layer_contract(separable: bool, layer_faults, rng: np.random.Generator):
    layer = NormedConvolution(4, (3, 1), separable=separable)
    assert not layer_faults(layer, rng.normal(size=(2, 9, 3, 2)).astype(np.float32), shapes=[(2, 9, 3, 4)])
    assert layer.compute_output_shape((None, 9, 3, 2)) == (None, 9, 3, 4)


def test_relu_is_there_as_asked(rng: np.random.Generator):
    x = rng.normal(size=(2, 9, 3, 2)).astype(np.float32)
    assert np.min(NormedConvolution(4, (3, 1))(x)) == 0
    assert np.min(NormedConvolution(4, (3, 1), relu=False)(x)) < 0
