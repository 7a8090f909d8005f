"""Features of a turned sensor are those of the sensor with axes exchanged; a contract keeps their means."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import (
    ALL_CHANNELS,
    CHANNELS,
    MOUNTINGS,
    ClassMotion,
    ModelContract,
    ModelError,
    MountingReference,
)
from deseptr.contract.mounting_features import corrected_features, mounting_features, mounting_sensors
from deseptr.device import MountingCorrection

MOTION = ClassMotion("sit", (0.5,) * 26, (1.0,) * 26)
REFERENCE = MountingReference((MOTION,), (("none", 0.75), ("y180", 0.25)))
CONTRACT = dataclasses.replace(ModelContract(labels=("sit", "walk")), mounting=REFERENCE)


@given(st.integers(0, 2**31), st.sampled_from([CHANNELS, CHANNELS[:3], ALL_CHANNELS, ALL_CHANNELS[::-1]]))
@settings(max_examples=20)
def test_features_are_corrected_as_samples_are(seed, channels):
    samples = np.random.default_rng(seed).normal(size=(3, 40, len(channels))).astype(np.float32)
    corrected = corrected_features(mounting_features(samples, channels))
    for turn, features in zip(MOUNTINGS, corrected, strict=True):
        expected = mounting_features(MountingCorrection(turn, channels)(samples), channels)
        np.testing.assert_allclose(features, expected, atol=1e-9)


def test_a_sensor_at_rest_gives_finite_features():
    rest = mounting_features(np.zeros((1, 40, 6), np.float32), CHANNELS)
    assert np.isfinite(rest).all()
    assert not rest[0, 2:].any()


def test_only_accelerometer_and_gyroscope_have_a_part():
    assert mounting_sensors(ALL_CHANNELS) == ("acc", "gyro")
    assert mounting_sensors(("acc_x", "acc_y", "acc_z")) == ("acc",)
    assert mounting_sensors(("gyro_x", "gyro_y", "gyro_z")) is None
    assert mounting_sensors(("acc_x", "gyro_x", "gyro_y", "gyro_z")) is None


def test_a_contract_with_a_mounting_is_of_format_9_and_others_are_as_before():
    content = json.loads(CONTRACT.to_json())
    assert content["format"] == 9
    assert content["mounting"]["worn"] == [["none", 0.75], ["y180", 0.25]]
    assert ModelContract.from_json(CONTRACT.to_json()) == CONTRACT
    assert "mounting" not in dataclasses.replace(CONTRACT, mounting=None, embedding_width=8).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"worn": [["x90", 1.0]]},
        {"worn": [["none", 0.0]]},
        {"worn": [["none", 1.0], ["none", 0.5]]},
        {"worn": [["x45", 1.0], ["none", 1.0]]},
        {"worn": [["none"]]},
        {"worn": 3},
        {"classes": []},
        {"classes": [{"label": "sit", "mean": [0.0] * 26, "deviation": [0.0] * 26}]},
        {"classes": [{"label": "sit", "mean": [0.0] * 26, "deviation": [1.0] * 10}]},
        {"classes": [{"label": "sit", "mean": [True] * 26, "deviation": [1.0] * 26}]},
        {"classes": [{"label": "run", "mean": [0.0] * 26, "deviation": [1.0] * 26}]},
        {"classes": [{"label": "sit", "mean": [0.0] * 26}]},
        {"more": 1},
    ],
)
def test_a_broken_mounting_is_refused(change):
    content = json.loads(CONTRACT.to_json())
    content["mounting"] |= change
    with pytest.raises(ModelError, match="contract"):
        ModelContract.from_json(json.dumps(content))


def test_features_of_a_sensor_that_the_model_has_not_are_refused():
    with pytest.raises(ModelError, match=r"contract.mounting: found features of gyro"):
        dataclasses.replace(CONTRACT, channels=CHANNELS[:3], units=("m/s^2",) * 3, input_range=(1.0,) * 3)
