import numpy as np
from scipy.spatial.transform import Rotation as ScipyRotation

from deseptr.train.augment import Rotation

RNG = np.random.default_rng(0)


def test_gravity_and_the_earths_field_turn_together():
    """The angle between them, from which a model knows the dip of the field, stays what it was."""
    windows = np.concatenate([RNG.normal(size=(16, 30, 6)), RNG.normal(size=(16, 30, 3)) * 50], -1).astype(np.float32)
    turned = np.asarray(Rotation(40.0, rate=1.0, seed=1)(windows, training=True))
    for before, after in zip(windows, turned, strict=True):
        rotation, _ = ScipyRotation.align_vectors(after[:, :3], before[:, :3])
        np.testing.assert_allclose(rotation.apply(before[:, 6:]), after[:, 6:], atol=1e-2)
    assert np.abs(turned - windows).max() > 10


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
