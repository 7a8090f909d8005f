"""The simulated chips. A new one is a new module and one line here."""

from __future__ import annotations

from collections.abc import Callable

from deseptr.contract import SetupError
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import Chip
from .icm20948 import SimulatedIcm20948
from .lsm6ds3trc import SimulatedLsm6ds3trc
from .lsm6dsox import SimulatedLsm6dsox
from .mpu6050 import SimulatedMpu6050
from .mpu6500 import SimulatedMpu6500

DEFAULT_CHIP = "mpu6050"
CHIPS: dict[str, Callable[[SignalSource, Clock], Chip]] = {
    "icm20948": SimulatedIcm20948,
    "lsm6ds3trc": SimulatedLsm6ds3trc,
    "lsm6dsox": SimulatedLsm6dsox,
    "mpu6050": SimulatedMpu6050,
    "mpu6500": SimulatedMpu6500,
}


def make_chip(sensor: str, source: SignalSource, clock: Clock) -> Chip:
    """The simulated chip called ``sensor``, just powered up.

    Raises:
        SetupError: if there is no simulation of that chip.
    """
    if sensor not in CHIPS:
        raise SetupError(
            "--sensor", found=sensor, expected=f"one of {', '.join(CHIPS)}", next_step="choose a simulated sensor"
        )
    return CHIPS[sensor](source, clock)
