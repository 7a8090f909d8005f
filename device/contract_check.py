"""Whether a sensor as it was set up suits a model: refused with both values, never silently bent."""

from __future__ import annotations

from deseptr.contract import CHANNELS, UNITS, ModelContract, SensorError

from .drivers.imu import ImuSettings


def check_fit(sensor: str, settings: ImuSettings, contract: ModelContract) -> None:
    """Compare what a sensor delivers with what a model was trained on; rates are ``SampleStream``'s affair.

    Args:
        sensor: the sensor's name, for messages.
        settings: what it was really set to.
        contract: what the model wants.

    Raises:
        SensorError: if channels, units or a full scale do not fit.
    """
    if contract.channels != CHANNELS:
        raise _misfit(sensor, f"channels {_join(CHANNELS)}", _join(contract.channels))
    if contract.units != UNITS:
        raise _misfit(sensor, f"units {_join(UNITS)}", _join(contract.units))
    if settings.acc_full_scale_g < contract.acc_full_scale_g:
        raise _misfit(sensor, f"±{settings.acc_full_scale_g:g} g", f"at least ±{contract.acc_full_scale_g:g} g")
    if settings.gyro_full_scale_dps < contract.gyro_full_scale_dps:
        raise _misfit(
            sensor, f"±{settings.gyro_full_scale_dps:g} deg/s", f"at least ±{contract.gyro_full_scale_dps:g} deg/s"
        )


def _misfit(sensor: str, found: str, expected: str) -> SensorError:
    return SensorError(
        sensor, found=found, expected=expected, next_step="use a sensor that fits the model, or train for this one"
    )


def _join(names: tuple[str, ...]) -> str:
    return " ".join(names)
