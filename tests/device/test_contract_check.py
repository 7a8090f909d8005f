from dataclasses import replace

import pytest

from deseptr.contract import CHANNELS, UNITS, SensorError
from deseptr.device import ImuConfig, ImuSettings, check_fit

SETTINGS = ImuSettings(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000, bandwidth_hz=20)


@pytest.mark.parametrize("name", ["acc_full_scale_g", "gyro_full_scale_dps"])
def test_full_scale_may_be_the_contracts_or_wider(contract, name):
    wanted = getattr(SETTINGS, name)
    for value in (wanted, 2 * wanted):
        check_fit("mpu6050", replace(SETTINGS, **{name: value}), contract)
    with pytest.raises(SensorError, match="expected at least"):
        check_fit("mpu6050", replace(SETTINGS, **{name: wanted - 0.01}), contract)


def test_config_from_contract(contract):
    assert ImuConfig.from_contract(contract) == ImuConfig(50, 8, 1000)


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({"acc_full_scale_g": 4}, {}, "found ±4 g, expected at least ±8 g"),
        ({"gyro_full_scale_dps": 250}, {}, "found ±250 deg/s, expected at least ±1000 deg/s"),
        (
            {},
            {"units": ("g",) * 3 + UNITS[3:]},
            f"found units {' '.join(UNITS)}, expected g g g rad/s rad/s rad/s",
        ),
    ],
)
def test_mismatch_is_refused_with_both_values(contract, settings, changes, message):
    with pytest.raises(SensorError) as caught:
        check_fit("mpu6050", replace(SETTINGS, **settings), replace(contract, **changes))
    assert str(caught.value) == f"mpu6050: {message}; use a sensor that fits the model, or train for this one"


def test_a_sensor_without_a_channel_is_refused_with_the_way_to_a_model_for_it(contract):
    with pytest.raises(SensorError) as caught:
        check_fit("lis3dh", replace(SETTINGS, channels=CHANNELS[:3]), contract)
    assert str(caught.value) == (
        f"lis3dh: found channels {' '.join(CHANNELS[:3])}, expected {' '.join(CHANNELS)}; use a sensor that has them, "
        "or a model for this one: `deseptr train DATA --channels acc`"
    )


@pytest.mark.parametrize("channels", [CHANNELS[:3], CHANNELS[3:], CHANNELS[3:] + CHANNELS[:3], ("acc_z",)])
def test_a_sensor_may_have_more_channels_in_another_order(contract, channels):
    units = tuple(UNITS[CHANNELS.index(channel)] for channel in channels)
    check_fit("mpu6050", SETTINGS, _of_channels(contract, channels, units))


def test_the_full_scale_of_a_sensor_that_is_not_used_does_not_matter(contract):
    acc = _of_channels(contract, CHANNELS[:3], UNITS[:3])
    check_fit("mpu6050", replace(SETTINGS, gyro_full_scale_dps=250), acc)
    with pytest.raises(SensorError, match="found ±4 g"):
        check_fit("mpu6050", replace(SETTINGS, acc_full_scale_g=4), acc)


def _of_channels(contract, channels, units):
    return replace(contract, channels=channels, units=units, input_range=(10.0,) * len(channels))
