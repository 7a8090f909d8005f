import numpy as np
import pytest

from deseptr.train.augment import Warp


def ramp(axis: int) -> np.ndarray:
    shape = [64, 17, 25, 1]
    index = np.arange(shape[axis], dtype=np.float32).reshape([-1 if i == axis else 1 for i in range(4)])
    return np.broadcast_to(index, shape).copy()


@pytest.mark.parametrize(("name", "axis"), [("time", 2), ("frequency", 1)])
def test_ramp_shows_where_each_value_came_from(name: str, axis: int):
    warped = np.moveaxis(np.asarray(Warp(name, 0.1, rate=1.0, seed=1)(ramp(axis), training=True)), axis, 1)[:, :, 0, 0]
    last = warped.shape[1] - 1
    np.testing.assert_allclose(warped[:, 0], 0, atol=1e-5)
    np.testing.assert_allclose(warped[:, -1], last, rtol=1e-5)
    assert (np.diff(warped, axis=1) > -1e-5).all()
    moved = np.abs(warped - np.arange(last + 1)).max(axis=1)
    assert 0.3 < moved.max() <= max(1.0, 0.1 * last) + 1e-3


def test_dc_does_not_leak_into_the_magnitudes():
    spectrogram = np.zeros((32, 17, 25, 1), np.float32)
    spectrogram[:, 0] = 5.0
    np.testing.assert_array_equal(
        np.asarray(Warp("frequency", rate=1.0, seed=2)(spectrogram, training=True)), spectrogram
    )


def test_constant_picture_stays_constant():
    picture = np.full((16, 17, 25, 2), 3.0, np.float32)
    np.testing.assert_allclose(np.asarray(Warp("time", rate=1.0, seed=2)(picture, training=True)), 3.0, rtol=1e-5)
