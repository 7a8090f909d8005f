import keras
import numpy as np
import pytest

from deseptr.train.models import ResNet18, ResNetStem
from deseptr.train.models.resnet18 import reach


def test_full_width_has_the_parameters_of_resnet18():
    model = ResNet18(classes=10)
    model.build((None, 224, 224, 6))
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    # torchvision's ResNet-18: 11,689,512 with 3 channels and 1000 classes.
    assert trained == 11_689_512 + 3 * 7 * 7 * 64 - 990 * 513


def test_stem_reduces_four_times(layer_faults, rng: np.random.Generator):
    assert not layer_faults(ResNetStem(8), rng.normal(size=(2, 17, 25, 6)).astype(np.float32), shapes=[(2, 5, 7, 8)])
    assert ResNetStem(8).compute_output_shape((None, 17, 25, 6)) == (None, 5, 7, 8)


def test_layer_contract(layer_faults, rng: np.random.Generator):
    assert not layer_faults(ResNet18(5, width=4), rng.normal(size=(3, 17, 25, 6)).astype(np.float32), shapes=[(3, 5)])


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("strides", [1, 2])
def test_omitted_taps_only_meet_padding(size: int, strides: int, rng: np.random.Generator):
    taps = reach(size, strides)
    first = 1 if taps == 1 else 0
    cells, kernel = rng.normal(size=(1, size, 1)), rng.normal(size=(3, 1, 1))

    def convolved(kernel: np.ndarray) -> np.ndarray:
        return np.asarray(keras.ops.conv(cells, kernel, strides=strides, padding="same"))

    np.testing.assert_allclose(convolved(kernel[first : first + taps]), convolved(kernel), atol=1e-12)
