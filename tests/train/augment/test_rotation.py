import numpy as np
from scipy.spatial.transform import Rotation as ScipyRotation

from deseptr.train.augment import Rotation

RNG = np.random.default_rng(0)


def test_both_sensors_turn_by_the_same_proper_rotation_of_bounded_angle():
    windows = RNG.normal(size=(64, 30, 6)).astype(np.float32)
    turned = np.asarray(Rotation(25.0, rate=1.0, seed=1)(windows, training=True))
    angles = []
    for before, after in zip(windows, turned, strict=True):
        rotation, residual = ScipyRotation.align_vectors(after[:, :3], before[:, :3])
        assert residual < 1e-3
        np.testing.assert_allclose(rotation.apply(before[:, 3:]), after[:, 3:], atol=1e-4)
        angles.append(np.degrees(rotation.magnitude()))
    assert max(angles) <= 25.01
    assert max(angles) > 20
    assert np.std(angles) > 3
