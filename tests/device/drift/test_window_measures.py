import numpy as np
import pytest

from deseptr.contract import EmbeddingReference, ModelContract
from deseptr.device.drift.window_measures import WindowMeasures


def test_gravity_is_the_mean_acceleration_of_a_still_window():
    measures = WindowMeasures(ModelContract(("a", "b")))
    samples = np.zeros((128, 6), np.float32)
    samples[:, :3] = [3.0, 4.0, 12.0]
    samples[:, 3:] = 7.0
    assert measures.gravity(samples) == pytest.approx(13.0)
    samples[::2, 0] += 1.0
    assert measures.gravity(samples) is None


def test_a_sensor_without_three_axes_of_acceleration_has_no_gravity():
    contract = ModelContract(
        ("a", "b"), channels=("gyro_x", "acc_x"), units=("rad/s", "m/s^2"), input_range=(10.0, 40.0)
    )
    assert WindowMeasures(contract).gravity(np.zeros((128, 2), np.float32)) is None


def test_distance_is_in_deviations_from_the_mean_of_the_class(contract):
    measures = WindowMeasures(contract)
    assert measures.has_distance
    # (3/1)² and (8/2)² have the mean 12.5.
    assert measures.distance(np.float32([3, 8]), 1) == pytest.approx(12.5**0.5)
    assert measures.distance(np.float32([3, 8]), 3) is None
    assert measures.distance(None, 1) is None


def test_means_are_kept_to_a_fraction_of_a_deviation():
    made = EmbeddingReference.of([1.0, 1.0], np.array([[0.123, -7.5], [1000.0, 0.0]]), [list(range(9))] * 2)
    assert made.table[0] == pytest.approx([0.123, -7.5], abs=1 / 256)
    assert made.table[1, 0] == pytest.approx(128, abs=0.01)


def test_a_contract_without_a_reference_has_no_distance():
    measures = WindowMeasures(ModelContract(("a", "b")))
    assert not measures.has_distance
    assert measures.distance(np.float32([3, 8]), 1) is None
