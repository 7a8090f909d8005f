"""The chips that there are drivers for. Another one is a module of its own and one line here."""

from __future__ import annotations

from collections.abc import Callable

from deseptr.contract import SetupError

from .bus import I2cBus
from .clock import Clock
from .imu import Imu
from .mpu6050 import Mpu6050

SENSORS: dict[str, Callable[[I2cBus, Clock], Imu]] = {
    "mpu6050": Mpu6050,
}


def make_sensor(name: str, bus: I2cBus, clock: Clock) -> Imu:
    """The driver called ``name``, at its usual address.

    Raises:
        SetupError: if there is none of that name.
    """
    if name not in SENSORS:
        raise SetupError(
            "--sensor", found=name, expected=f"one of {', '.join(SENSORS)}", next_step="choose a sensor with a driver"
        )
    return SENSORS[name](bus, clock)
