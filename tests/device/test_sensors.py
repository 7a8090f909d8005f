import pytest

from deseptr.contract import SetupError
from deseptr.device import SENSORS, Mpu6050, make_sensor


def test_registry():
    assert isinstance(make_sensor("mpu6050", None, None), Mpu6050)
    assert all(name == make_sensor(name, None, None).name for name in SENSORS)


def test_unknown_sensor_lists_the_known():
    with pytest.raises(SetupError) as caught:
        make_sensor("bmi270", None, None)
    assert str(caught.value) == (
        f"--sensor: found bmi270, expected auto or one of {', '.join(SENSORS)}; choose a sensor with a driver"
    )
