import numpy as np

from deseptr.train.window_front_end import WindowScale


def test_layer_contract(check_layer, rng: np.random.Generator):
    check_layer(WindowScale([10.0] * 6), rng.normal(size=(2, 9, 6)).astype(np.float32), shapes=[(2, 9, 6)], fits=False)


def test_scales_each_channel_and_saturates():
    windows = np.array([[[5.0, -5.0, 50.0], [2.5, 20.0, -50.0]]], np.float32)
    np.testing.assert_allclose(WindowScale([10.0, 5.0, 25.0])(windows), [[[0.5, -1, 1], [0.25, 1, -1]]])
