"""The I2C bus: the protocol that drivers use, its Linux implementation, and the translation of its errors.

Every bus, real or simulated, reports trouble as :class:`BusError`, made by :func:`bus_error` from the ``errno`` that
the kernel's controller drivers give. Nothing here retries: only the caller knows what a repeated read would lose.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from deseptr.contract import SensorError, SetupError

_WIRING = "check the wiring, the power and the address (`i2cdetect -y BUS` lists the addresses that answer)"
_ENABLE = "enable I2C (`sudo raspi-config nonint do_i2c 0`, or dtparam=i2c_arm=on in config.txt) or name another --bus"

# Reported by controllers when no chip acknowledges its address.
NO_ANSWER = (errno.EREMOTEIO, errno.ENXIO)
UNHEALTHY_EXIT_CODE = 3
# Errors that may be gone at the next attempt, as those of a loose wire or of a line held low.
TRANSIENT = (*NO_ANSWER, errno.ETIMEDOUT, errno.EIO)

# Linux, Documentation/i2c/fault-codes.rst; bcm2835 reports a NACK as EREMOTEIO, most others as ENXIO.
_MEANINGS = {
    errno.EREMOTEIO: ("no answer", "an acknowledge", _WIRING),
    errno.ENXIO: ("no answer", "an acknowledge", _WIRING),
    errno.ETIMEDOUT: (
        "a stuck bus",
        "SDA and SCL released",
        "power the sensor off and on, and check the pull-ups",
    ),
    errno.EIO: (
        "a broken transfer",
        "a complete one",
        "shorten the wires or lower the bus clock (dtparam=i2c_arm_baudrate in config.txt)",
    ),
    errno.ENOENT: ("no such bus", "an I2C bus", _ENABLE),
    errno.ENODEV: ("a bus that is gone", "an I2C bus", _ENABLE),
    errno.EACCES: (
        "no permission",
        "a bus this user may open",
        "join its group (`sudo usermod -aG i2c $USER`) and log in again",
    ),
}


class BusError(SensorError):
    """A transfer on the bus failed.

    Args:
        thing: the bus and the address on it.
        found: meaning of the failure.
        expected: the expected state.
        next_step: a remedy for the reader to try.
        number: the ``errno``, 0 if unknown. One of :data:`TRANSIENT` makes the exit code 3, at which a service manager
            starts the program again; the others leave it 2.
    """

    def __init__(self, thing: object, *, found: object, expected: object, next_step: str, number: int = 0) -> None:
        super().__init__(thing, found=found, expected=expected, next_step=next_step)
        self.errno = number
        if number in TRANSIENT:
            self.exit_code = UNHEALTHY_EXIT_CODE

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"errno": self.errno})


class I2cBus(Protocol):
    """A bus with 7-bit addresses and devices with 8-bit register numbers.

    ``path`` names it in messages. Every method raises :class:`BusError` when the transfer fails.
    """

    path: str

    def write(self, address: int, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on, in one transfer."""
        ...

    def read(self, address: int, register: int, length: int) -> bytes:
        """Read exactly ``length`` bytes from ``register`` on: one write, a repeated start and one read."""
        ...

    def close(self) -> None:
        """Release the bus; it cannot be used afterwards."""
        ...


def bus_error(path: str, address: int | None, error: OSError) -> BusError:
    """Translate an ``OSError`` of the bus at ``path``; ``address`` is None for an error of the bus as a whole.

    >>> print(bus_error("/dev/i2c-1", 0x68, OSError(errno.EREMOTEIO, "Remote I/O error")).found)
    no answer (EREMOTEIO)
    """
    number = error.errno or 0
    found, expected, next_step = _MEANINGS.get(
        number, (error.strerror or "an unknown failure", "a completed transfer", _WIRING)
    )
    name = errno.errorcode.get(number, f"errno {number}")
    thing = path if address is None else f"{path} address 0x{address:02x}"
    return BusError(thing, found=f"{found} ({name})", expected=expected, next_step=next_step, number=number)


@contextmanager
def bus_errors(path: str, address: int | None = None) -> Iterator[None]:
    """Turn any ``OSError`` of the block into a :class:`BusError`.

    >>> with bus_errors("/dev/i2c-1"):  # doctest: +ELLIPSIS
    ...     raise FileNotFoundError(errno.ENOENT, "No such file or directory")
    Traceback (most recent call last):
    deseptr.device.bus.BusError: /dev/i2c-1: found no such bus (ENOENT), expected an I2C bus; ...
    """
    try:
        yield
    except OSError as error:
        raise bus_error(path, address, error) from error


class LinuxI2cBus:
    """``/dev/i2c-<number>`` through smbus2.

    A read is one ``I2C_RDWR`` of a write and a read, the read last: bcm2835 allows nothing else, and SMBus block reads
    stop at 32 bytes.

    Args:
        number: the bus number, 1 for the header pins of a Raspberry Pi.

    Raises:
        BusError: if the bus is missing or may not be opened.
        SetupError: if smbus2 is not installed.
    """

    def __init__(self, number: int) -> None:
        self.path = f"/dev/i2c-{number}"
        self._smbus2 = _import_smbus2()
        with bus_errors(self.path):
            self._bus = self._smbus2.SMBus(self.path)

    def write(self, address: int, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on, in one transfer."""
        message = self._smbus2.i2c_msg.write(address, bytes((register,)) + data)
        with bus_errors(self.path, address):
            self._bus.i2c_rdwr(message)

    def read(self, address: int, register: int, length: int) -> bytes:
        """Read exactly ``length`` bytes from ``register`` on."""
        select = self._smbus2.i2c_msg.write(address, (register,))
        answer = self._smbus2.i2c_msg.read(address, length)
        with bus_errors(self.path, address):
            self._bus.i2c_rdwr(select, answer)
            # The kernel may change the length, and beyond the buffer is other memory of this process.
            if answer.len != length:
                raise OSError(errno.EIO, f"{answer.len} bytes")
        return bytes(answer)

    def reopen(self) -> None:
        """Close the bus and open it again, as a USB adapter needs after it was unplugged.

        Raises:
            BusError: if it is missing or may not be opened.
        """
        self._bus.close()
        with bus_errors(self.path):
            self._bus.open(self.path)

    def close(self) -> None:
        """Release the bus."""
        self._bus.close()


def bus_exists(number: int) -> bool:
    """Whether Linux offers the bus with this number.

    >>> bus_exists(987)
    False
    """
    return os.path.exists(f"/dev/i2c-{number}")  # noqa: PTH110 - a device node needs no Path


def _import_smbus2() -> Any:
    try:
        import smbus2
    except ImportError as error:
        raise SetupError(
            "smbus2", found="no such package", expected="the I2C library", next_step="`pip install smbus2`, on Linux"
        ) from error
    return smbus2
