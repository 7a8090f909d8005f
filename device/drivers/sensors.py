"""The chips that there are drivers for, and which of them is on a bus.

Another chip is a module of its own and one line here.
"""

from __future__ import annotations

from dataclasses import dataclass

from deseptr.contract import SensorError, SetupError
from deseptr.device.bus import NO_ANSWER, BusError, I2cBus
from deseptr.device.clock import Clock

from .fifo_imu import FifoImu, known_chip, read_who_am_i
from .icm20948 import Icm20948
from .lsm6ds3trc import Lsm6ds3trc
from .lsm6dsox import Lsm6dsox
from .mpu6050 import Mpu6050
from .mpu6500 import Mpu6500

DRIVERS: tuple[type[FifoImu], ...] = (Mpu6050, Mpu6500, Icm20948, Lsm6dsox, Lsm6ds3trc)
ADDRESSES = tuple(dict.fromkeys(address for driver in DRIVERS for address in driver.addresses))
SENSORS: dict[str, type[FifoImu]] = {driver.name: driver for driver in DRIVERS}
AUTO = "auto"
PROBE_ATTEMPTS = 3
PROBE_PAUSE_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A chip that answered at one of the addresses that the drivers know.

    Args:
        address: 7-bit address.
        who_am_i: what its identity register says.
        chip: what chip that is.
        driver: the driver that takes it; None if none does.
    """

    address: int
    who_am_i: int
    chip: str
    driver: str | None


def make_sensor(name: str, bus: I2cBus, clock: Clock, address: int | None = None) -> FifoImu:
    """The driver called ``name``, or with ``auto`` that of the first chip on the bus that has one.

    Args:
        name: a key of :data:`SENSORS`, or ``auto``.
        bus: the bus it is on.
        clock: for its bounded waits.
        address: its 7-bit address; by default its usual one, or with ``auto`` wherever one answers.

    Raises:
        SetupError: if there is no driver of that name.
        SensorError: with ``auto``, if no chip with a driver answers.
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


def _find(bus: I2cBus, clock: Clock, addresses: tuple[int, ...] | None) -> Found:
    """The first chip with a driver; asked again a few times, for a wire may be loose for a moment."""
    for _ in range(PROBE_ATTEMPTS - 1):
        try:
            return _first(probe(bus, addresses), bus)
        except SensorError:
            clock.sleep_ns(PROBE_PAUSE_NS)
    return _first(probe(bus, addresses), bus)


def probe(bus: I2cBus, addresses: tuple[int, ...] | None = None) -> list[Found]:
    """Ask every address that a driver knows who is there; those that do not answer are left out.

    Raises:
        BusError: if the bus itself fails in another way than by nobody answering.
    """
    found = (_identity(bus, address) for address in addresses or ADDRESSES)
    return [chip for chip in found if chip is not None]


def _identity(bus: I2cBus, address: int) -> Found | None:
    """The chip at ``address``: identity registers are tried in turn, for families keep them in different places."""
    unknown = None
    # At an address that no driver knows, which somebody named, any chip may be.
    for driver in [driver for driver in DRIVERS if address in driver.addresses] or DRIVERS:
        try:
            value = read_who_am_i(bus, address, driver)
        except BusError as error:
            if error.errno in NO_ANSWER:
                return unknown
            raise
        if value in driver.who_am_i_values:
            return Found(address, value, driver.who_am_i_values[value], driver.name)
        unknown = unknown or Found(address, value, known_chip(value), None)
    return unknown


def _first(chips: list[Found], bus: I2cBus) -> Found:
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
        next_step="name the driver of a chip alike with --sensor, or fit one of these",
    )
