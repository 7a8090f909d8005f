"""The supported chips, and detection of the one on a bus.

A new chip is a new module and one line here.
"""

from __future__ import annotations

from dataclasses import dataclass

from deseptr.contract import SensorError, SetupError
from deseptr.device.bus import NO_ANSWER, BusError, I2cBus
from deseptr.device.clock import Clock

from .adxl345 import Adxl345
from .bmi270 import Bmi270
from .fifo_imu import FifoImu, known_chip, read_who_am_i
from .icm20948 import Icm20948
from .lis3dh import Lis3dh
from .lsm6ds3trc import Lsm6ds3trc
from .lsm6dsox import Lsm6dsox
from .mpu6050 import Mpu6050
from .mpu6500 import Mpu6500

DRIVERS: tuple[type[FifoImu], ...] = (Mpu6050, Mpu6500, Icm20948, Lsm6dsox, Lsm6ds3trc, Adxl345, Lis3dh, Bmi270)
ADDRESSES = tuple(dict.fromkeys(address for driver in DRIVERS for address in driver.addresses))
SENSORS: dict[str, type[FifoImu]] = {driver.name: driver for driver in DRIVERS}
AUTO = "auto"
PROBE_ATTEMPTS = 3
PROBE_PAUSE_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class FoundChip:
    """A chip that answered at one of the addresses that the drivers know.

    Args:
        address: 7-bit address.
        who_am_i: value of its identity register.
        chip: name of the chip.
        driver: name of its driver; None without one.
    """

    address: int
    who_am_i: int
    chip: str
    driver: str | None


def make_sensor(name: str, bus: I2cBus, clock: Clock, address: int | None = None) -> FifoImu:
    """The driver called ``name``; with ``auto``, the driver of the first supported chip on the bus.

    Args:
        name: a key of :data:`SENSORS`, or ``auto``.
        bus: the bus it is on.
        clock: for its bounded waits.
        address: its 7-bit address; by default its usual one, or with ``auto`` the first that answers.

    Raises:
        SetupError: if there is no driver of that name.
        SensorError: with ``auto``, if no chip with a driver answers.

    >>> from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualClock, VirtualI2cBus
    >>> clock = VirtualClock()
    >>> bus = VirtualI2cBus({0x68: SimulatedMpu6050(ConstantSource([0, 0, 9.8, 0, 0, 0]), clock)}, clock)
    >>> imu = make_sensor("auto", bus, clock)
    >>> imu.name, hex(imu.address)
    ('mpu6050', '0x68')
    """
    if name == AUTO:
        found = _find(bus, clock, None if address is None else (address,))
        return SENSORS[str(found.driver)](bus, clock, found.address)
    if name not in SENSORS:
        raise SetupError(
            "--sensor",
            found=name,
            expected=f"{AUTO} or one of {', '.join(SENSORS)}",
            next_step="choose a sensor with a driver",
        )
    return SENSORS[name](bus, clock, address)


def _find(bus: I2cBus, clock: Clock, addresses: tuple[int, ...] | None) -> FoundChip:
    """The first supported chip; a few attempts, since a wire may be loose for a moment."""
    for _ in range(PROBE_ATTEMPTS - 1):
        try:
            return _first(probe(bus, addresses), bus)
        except SensorError:
            clock.sleep_ns(PROBE_PAUSE_NS)
    return _first(probe(bus, addresses), bus)


def probe(bus: I2cBus, addresses: tuple[int, ...] | None = None) -> list[FoundChip]:
    """Identify the chips at ``addresses``, by default at all that a driver knows; silent addresses are left out.

    Raises:
        BusError: if the bus fails in another way than by a missing answer.

    >>> from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualClock, VirtualI2cBus
    >>> clock = VirtualClock()
    >>> bus = VirtualI2cBus({0x68: SimulatedMpu6050(ConstantSource([0, 0, 9.8, 0, 0, 0]), clock)}, clock)
    >>> [(chip.chip, chip.driver) for chip in probe(bus)]
    [('MPU-6050', 'mpu6050')]
    """
    found = (_identity(bus, address) for address in addresses or ADDRESSES)
    return [chip for chip in found if chip is not None]


def _identity(bus: I2cBus, address: int) -> FoundChip | None:
    """The chip at ``address``; identity registers are tried in turn, since families have different ones."""
    unknown = None
    # At an address that the user named and no driver knows, any chip may be.
    for driver in [driver for driver in DRIVERS if address in driver.addresses] or DRIVERS:
        try:
            value = read_who_am_i(bus, address, driver)
        except BusError as error:
            if error.errno in NO_ANSWER:
                return unknown
            raise
        if value in driver.who_am_i_values:
            return FoundChip(address, value, driver.who_am_i_values[value], driver.name)
        unknown = unknown or FoundChip(address, value, known_chip(value), None)
    return unknown


def _first(chips: list[FoundChip], bus: I2cBus) -> FoundChip:
    for chip in chips:
        if chip.driver is not None:
            return chip
    if not chips:
        raise BusError(
            bus.path,
            found="no answer at " + ", ".join(f"0x{address:02x}" for address in ADDRESSES),
            expected=f"one of {', '.join(SENSORS)}",
            next_step="check wiring and power: `deseptr device doctor`",
            number=NO_ANSWER[0],
        )
    seen = ", ".join(f"0x{chip.address:02x}: {chip.chip} (WHO_AM_I 0x{chip.who_am_i:02X})" for chip in chips)
    raise SensorError(
        bus.path,
        found=seen,
        expected=f"one of {', '.join(SENSORS)}",
        next_step="name the driver of a compatible chip with --sensor, or fit one of these",
    )
