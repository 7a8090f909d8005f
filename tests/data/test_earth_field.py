"""The magnetic field of the synthetic wearer: the world's vector seen from a body that turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ALL_CHANNELS, CHANNELS, DataError
from deseptr.data import load_dataset, synthetic_dataset, synthetic_day
from deseptr.data.earth_field import EarthField
from deseptr.data.quality import find_oddities
from deseptr.data.rigid_body import Motion, thigh_field, turn_about
from deseptr.data.synthetic import synthetic_stretch

angles = st.floats(-3, 3)


@given(angles, angles, angles, st.floats(22, 67), st.floats(-90, 90), st.floats(0, 360))
def test_the_body_sees_the_worlds_vector_turned_by_its_orientation(
    flexion: float, roll: float, heading: float, strength: float, dip: float, north: float
) -> None:
    field = EarthField(strength, dip, north).vector()
    assert np.linalg.norm(field) == pytest.approx(strength)
    assert field[2] == pytest.approx(-strength * np.sin(np.radians(dip)))
    orientation = turn_about(2, heading) @ turn_about(1, -flexion) @ turn_about(0, roll)
    (seen,) = thigh_field(Motion(*np.array([[flexion], [roll], [heading]]), hip=np.zeros((1, 3))), field)
    np.testing.assert_allclose(seen, orientation.T @ field, atol=1e-9)


@pytest.mark.parametrize("activity", ["standing", "sitting"])
def test_at_rest_the_field_makes_the_angle_of_its_dip_with_gravity(activity: str) -> None:
    dataset = synthetic_dataset(6, 20, magnetometer=True)
    found = []
    for recording in dataset.recordings:
        if dataset.label_names[recording.labels[0]] == activity:
            up, field = (recording.axes(sensor).astype(float).mean(0) for sensor in ("acc", "mag"))
            found.append(np.degrees(np.arcsin(-up @ field / np.linalg.norm(up) / np.linalg.norm(field))))
            assert np.linalg.norm(field) == pytest.approx(49.0, abs=6.0)
    assert len(found) == 6
    np.testing.assert_allclose(found, 66.0, atol=6.0)


def test_trials_face_different_directions_and_the_other_channels_stay_as_they_were() -> None:
    with_field, without = synthetic_dataset(2, 4, magnetometer=True), synthetic_dataset(2, 4)
    assert (with_field.channels, without.channels) == (ALL_CHANNELS, CHANNELS)
    for nine, six in zip(with_field.recordings, without.recordings, strict=True):
        np.testing.assert_array_equal(nine.signals[:, :6], six.signals)
    facing = np.array([r.signals[:, 6:].mean(0) for r in with_field.recordings if r.labels[0] == 3])
    assert np.linalg.norm(facing[0] - facing[1]) > 3.0


def test_a_day_and_a_stretch_have_it_too() -> None:
    day, stretch = synthetic_day(seconds=4, magnetometer=True), synthetic_stretch(1, 0, seconds=4, magnetometer=True)
    for recording in (day, stretch):
        assert recording.channels == ALL_CHANNELS
        np.testing.assert_allclose(np.linalg.norm(recording.axes("mag"), axis=1), 49.0, atol=9.0)
    np.testing.assert_array_equal(day.signals[:, :6], synthetic_day(seconds=4).signals)


def test_the_word_synthetic_takes_it() -> None:
    dataset = load_dataset("synthetic:subjects=2,seconds=4,mag=1")
    assert dataset.channels == ALL_CHANNELS
    assert not [line for line in find_oddities(dataset) if "magnetic" in line]
    assert load_dataset("synthetic:subjects=2,seconds=4,mag=0").channels == CHANNELS
    with pytest.raises(DataError, match="found the option 'mag=2'"):
        load_dataset("synthetic:mag=2")
