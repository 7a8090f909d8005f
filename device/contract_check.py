"""Compatibility of a sensor's settings with a model: a mismatch is an error that names both values."""

from __future__ import annotations

from deseptr.contract import ModelContract, SensorError, sensors_of, units_of

from .drivers.imu import ImuSettings


def check_fit(sensor: str, settings: ImuSettings, contract: ModelContract) -> None:
    """Check that a sensor's settings match those of the model's training; ``SampleStream`` checks the rate.

    A sensor may have more channels than the model, whose runtime takes its own by name, and the full scale of a sensor
    that the model does not use is not checked.

    Args:
        sensor: the sensor's name, for messages.
        settings: the settings that it took.
        contract: the model's requirements.

    Raises:
        SensorError: if a channel is missing, units differ, or a full scale is too small.

    >>> from deseptr.device import default_model
    >>> from deseptr.tflite import load_engine
    >>> contract = load_engine(default_model()).contract
    >>> settings = ImuSettings(rate_hz=50, acc_full_scale_g=2, gyro_full_scale_dps=1000, bandwidth_hz=21)
    >>> check_fit("mpu6050", settings, contract)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    deseptr.contract.errors.SensorError: mpu6050: found ±2 g, expected at least ±8 g; ...
    """
    if not set(contract.channels) <= set(settings.channels):
        sensors = ",".join(sensors_of(settings.channels))
        raise SensorError(
            sensor,
            found=f"channels {_join(settings.channels)}",
            expected=_join(contract.channels),
            next_step=f"use a sensor that has them, or a model for this one: `deseptr train DATA --channels {sensors}`",
        )
    units, used = units_of(contract.channels), {channel.partition("_")[0] for channel in contract.channels}
    if contract.units != units:
        raise _misfit(sensor, f"units {_join(units)}", _join(contract.units))
    if "acc" in used and settings.acc_full_scale_g < contract.acc_full_scale_g:
        raise _misfit(sensor, f"±{settings.acc_full_scale_g:g} g", f"at least ±{contract.acc_full_scale_g:g} g")
    if "gyro" in used and settings.gyro_full_scale_dps < contract.gyro_full_scale_dps:
        raise _misfit(
            sensor, f"±{settings.gyro_full_scale_dps:g} deg/s", f"at least ±{contract.gyro_full_scale_dps:g} deg/s"
        )
    if "mag" in used and (settings.mag_full_scale_ut or 0) < (contract.mag_full_scale_ut or 0):
        raise _misfit(
            sensor, f"±{settings.mag_full_scale_ut or 0:g} uT", f"at least ±{contract.mag_full_scale_ut:g} uT"
        )


def _misfit(sensor: str, found: str, expected: str) -> SensorError:
    return SensorError(
        sensor, found=found, expected=expected, next_step="use a sensor that fits the model, or train for this one"
    )


def _join(names: tuple[str, ...]) -> str:
    return " ".join(names)
