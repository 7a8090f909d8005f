"""Warnings of windows that do not fit the input range: of another unit, or of another sensor."""

import numpy as np
import pytest

from deseptr.contract import ModelContract
from deseptr.convert.input_range import range_warnings

CONTRACT = ModelContract(labels=("a", "b"), input_range=(40.0,) * 3 + (10.0,) * 3)


def windows(scale: float = 1.0) -> np.ndarray:
    """Values evenly over nine tenths of each channel's range."""
    rng = np.random.default_rng(0)
    return (rng.uniform(-0.9, 0.9, (20, 128, 6)) * CONTRACT.input_range * scale).astype(np.float32)


def warnings(values: np.ndarray) -> list[str]:
    return list(range_warnings(values, CONTRACT))


def test_windows_that_fit_give_no_warning():
    assert warnings(windows()) == []
    assert warnings(windows(0.2)) == []


def test_g_in_place_of_metres_per_second_squared_is_noticed():
    values = windows()
    values[..., :3] /= 9.81
    found = warnings(values)
    assert [line.partition(":")[0] for line in found] == ["acc_x", "acc_y", "acc_z"]
    assert found[0] == "acc_x: values reach only 3.67 m/s^2 of the model's 40; check the unit"


def test_degrees_in_place_of_radians_saturate():
    values = windows()
    values[..., 3:] = np.rad2deg(values[..., 3:])
    found = warnings(values)
    assert [line.partition(":")[0] for line in found] == ["gyro_x", "gyro_y", "gyro_z"]
    assert all(line.endswith("of the values are beyond the model's 10 rad/s and saturate") for line in found)


@pytest.mark.parametrize(("share", "warned"), [(0.005, False), (0.02, True)])
def test_a_hundredth_may_saturate(share: float, warned: bool):
    values = windows()
    flat = values.reshape(-1, 6)
    flat[: int(len(flat) * share), 2] = -50.0
    assert bool(warnings(values)) == warned
    assert all(line.startswith(f"acc_z: {share:.1%}") for line in warnings(values))


def test_a_silent_channel_is_named():
    values = windows()
    values[..., 4] = 0
    assert warnings(values) == ["gyro_y: values reach only 0 rad/s of the model's 10; check the unit"]
