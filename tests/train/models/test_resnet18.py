import numpy as np

from deseptr.train.models import ResNet18, ResNetStem


def test_full_width_has_the_parameters_of_resnet18():
    model = ResNet18(classes=10)
    model.build((None, 17, 25, 6))
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    # torchvision's ResNet-18: 11,689,512 with 3 channels and 1000 classes.
    assert trained == 11_689_512 + 3 * 7 * 7 * 64 - 990 * 513


def test_stem_reduces_four_times(check_layer, rng: np.random.Generator):
    check_layer(ResNetStem(8), rng.normal(size=(2, 17, 25, 6)).astype(np.float32), shapes=[(2, 5, 7, 8)])
    assert ResNetStem(8).compute_output_shape((None, 17, 25, 6)) == (None, 5, 7, 8)


def test_layer_contract(check_layer, rng: np.random.Generator):
    check_layer(ResNet18(5, width=4), rng.normal(size=(3, 17, 25, 6)).astype(np.float32), shapes=[(3, 5)])
