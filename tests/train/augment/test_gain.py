import numpy as np
import pytest

from deseptr.train.augment import Gain

WINDOWS = np.random.default_rng(0).normal(size=(256, 30, 6)).astype(np.float32)


def test_each_sensor_has_its_own_factor_on_all_its_axes_and_samples():
    factors = np.asarray(Gain(0.1, rate=1.0, seed=1)(WINDOWS, training=True)) / WINDOWS
    of_sensor = factors.reshape(256, 30, 2, 3).transpose(0, 2, 1, 3).reshape(256, 2, -1)
    np.testing.assert_allclose(of_sensor, np.broadcast_to(of_sensor[:, :, :1], of_sensor.shape), rtol=1e-5)
    acceleration, gyro = of_sensor[:, 0, 0], of_sensor[:, 1, 0]
    assert abs(np.corrcoef(acceleration, gyro)[0, 1]) < 0.2
    for factor in (acceleration, gyro):
        assert 0.899 < factor.min() < 0.91
        assert 1.09 < factor.max() < 1.101


def test_impossible_fraction_is_refused():
    with pytest.raises(ValueError, match="Received: max_fraction=1"):
        Gain(1.0)
