"""The simulated chips. A new one is a new module and one line here."""

from __future__ import annotations

from collections.abc import Callable

from deseptr.contract import SetupError
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .adxl345 import SimulatedAdxl345
from .bmi270 import SimulatedBmi270
from .chip import Chip
from .icm20948 import SimulatedIcm20948
from .lis3dh import SimulatedLis3dh
from .lsm6ds3trc import SimulatedLsm6ds3trc
from .lsm6dsox import SimulatedLsm6dsox
from .mpu6050 import SimulatedMpu6050
from .mpu6500 import SimulatedMpu6500

DEFAULT_CHIP = "mpu6050"
CHIPS: dict[str, Callable[[SignalSource, Clock], Chip]] = {
    "adxl345": SimulatedAdxl345,
    "bmi270": SimulatedBmi270,
    "icm20948": SimulatedIcm20948,
    "lis3dh": SimulatedLis3dh,
    "lsm6ds3trc": SimulatedLsm6ds3trc,
    "lsm6dsox": SimulatedLsm6dsox,
    "mpu6050": SimulatedMpu6050,
    "mpu6500": SimulatedMpu6500,
}

# Chips that differ from one of these by their identity, by name: the name of that chip, and WHO_AM_I.
VARIANTS = {"mpu9250": ("mpu6500", 0x71)}


def driver_name(sensor: str) -> str:
    """Name of the driver of a simulated chip.

    >>> driver_name("mpu9250")
    'mpu6500'
    """
    return VARIANTS[sensor][0] if sensor in VARIANTS else sensor


def make_chip(sensor: str, source: SignalSource, clock: Clock) -> Chip:
    """The simulated chip called ``sensor``, just powered up.

    Raises:
        SetupError: if there is no simulation of that chip.
    """
    if driver_name(sensor) not in CHIPS:
        names = ", ".join((*CHIPS, *VARIANTS))
        raise SetupError("--sensor", found=sensor, expected=f"one of {names}", next_step="choose a simulated sensor")
    if sensor in VARIANTS:
        return SimulatedMpu6500(source, clock, who_am_i=VARIANTS[sensor][1])
    return CHIPS[sensor](source, clock)
