import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from deseptr.data.earth_field import EarthField
from deseptr.train.augment import Mirror

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_mirrored_circling_goes_the_other_way_round(axis: str):
    """A body that turns at ω feels ω x (ω x r) at r: so it is in the mirror, where the polar vector r is reflected."""
    turn, place = RNG.normal(size=(2, 8, 5, 3))
    mirrored = place * np.where(np.arange(3) == "xyz".index(axis), -1, 1)
    windows = np.concatenate([np.cross(turn, np.cross(turn, place)), turn], axis=-1).astype(np.float32)
    seen = np.asarray(Mirror(axis, rate=1.0)(windows, training=True))
    np.testing.assert_allclose(seen[..., :3], np.cross(seen[..., 3:], np.cross(seen[..., 3:], mirrored)), atol=1e-4)
    assert (np.sign(seen[..., :3]) != np.sign(windows[..., :3])).any(axis=(0, 1)).tolist() == [a == axis for a in "xyz"]


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_mirrored_wearer_walks_in_the_same_field(axis: str):
    """In the mirror of the vertical plane through north, gravity and the earth's field stay what they are."""
    up, field = np.array([0, 0, 9.81]), EarthField(49, 66, north_deg=0).vector()
    body = np.diag(np.where(np.arange(3) == "xyz".index(axis), -1.0, 1.0))
    through_north = np.diag([1.0, -1.0, 1.0])
    for orientation in Rotation.random(5, random_state=1).as_matrix():
        mirrored = through_north @ orientation @ body
        assert np.linalg.det(mirrored) == pytest.approx(1)
        window = np.concatenate([orientation.T @ up, orientation.T @ field])[None, None].astype(np.float32)
        seen = np.asarray(Mirror(axis, rate=1.0, axial=(False, False))(window, training=True))[0, 0]
        np.testing.assert_allclose(seen, np.concatenate([mirrored.T @ up, mirrored.T @ field]), atol=1e-4)


def test_mirroring_twice_changes_nothing():
    windows = RNG.normal(size=(3, 4, 6)).astype(np.float32)
    mirror = Mirror("z", rate=1.0)
    np.testing.assert_array_equal(mirror(mirror(windows, training=True), training=True), windows)


def test_unknown_axis_is_refused():
    with pytest.raises(ValueError, match="Received: axis=w"):
        Mirror("w")


@pytest.mark.parametrize(("axial", "signs"), [([False], [1, -1, 1]), ([True], [-1, 1, -1])])
def test_each_sensor_is_mirrored_as_the_vector_that_it_measures(axial: list[bool], signs: list[int]):
    mirrored = Mirror("y", rate=1.0, axial=axial)(np.ones((2, 10, 3), np.float32), training=True)
    np.testing.assert_array_equal(np.asarray(mirrored)[0, 0], signs)
