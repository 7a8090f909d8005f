import numpy as np

from deseptr.train.front_end import INPUT_STEPS
from deseptr.train.window_front_end import WindowScale


def test_layer_contract(layer_faults, rng: np.random.Generator):
    assert not layer_faults(
        WindowScale([10.0] * 6), rng.normal(size=(2, 9, 6)).astype(np.float32), shapes=[(2, 9, 6)], fits=False
    )


def test_scales_each_channel_and_saturates():
    windows = np.array([[[5.0, -5.0, 50.0], [2.5, 20.0, -50.0]]], np.float32)
    steps = np.asarray(WindowScale([10.0, 5.0, 25.0])(windows)) * INPUT_STEPS
    np.testing.assert_allclose(steps, [[[64, -128, 127], [32, 127, -128]]])
