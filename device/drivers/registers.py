"""Registers as declarations, so that a driver reads like its datasheet.

A driver class declares ``pwr_mgmt_1 = Register(0x6B, DEVICE_RESET=bit(7), SLEEP=bit(6), CLKSEL=bits(2, 0))`` and then
says ``self.pwr_mgmt_1.write(CLKSEL=1)``. One call is one bus transfer, and one more where another bank has to be
selected: there is no read-modify-write behind it, and fields left out of a write are written as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, overload

from deseptr.contract import SensorError
from deseptr.device.bus import I2cBus


@dataclass(frozen=True, slots=True)
class Bits:
    """A bit field of a byte, from bit ``high`` down to bit ``low``."""

    high: int
    low: int

    @property
    def largest(self) -> int:
        """Largest value that fits."""
        return (1 << (self.high - self.low + 1)) - 1

    def encode(self, value: int) -> int:
        """``value`` shifted into its place.

        Raises:
            ValueError: if it does not fit.
        """
        if not 0 <= value <= self.largest:
            raise ValueError(f"{value} does not fit into bits {self.high}:{self.low}")
        return value << self.low

    def decode(self, byte: int) -> int:
        """The field's value in ``byte``."""
        return byte >> self.low & self.largest


def bits(high: int, low: int) -> Bits:
    """Bits ``high`` down to ``low``, as datasheets write them."""
    return Bits(high, low)


def bit(number: int) -> Bits:
    """A single bit."""
    return Bits(number, number)


class RegisterOwner(Protocol):
    """A driver: something with a name, a bus and an address."""

    @property
    def name(self) -> str:
        """Name for messages."""
        ...

    @property
    def bus(self) -> I2cBus:
        """The bus that the chip is on."""
        ...

    @property
    def address(self) -> int:
        """Its 7-bit address."""
        ...

    def select_bank(self, bank: int) -> None:
        """Bring the registers of ``bank`` to where they are read and written."""
        ...


class Register:
    """An 8-bit register, declared as a class attribute of a driver.

    Args:
        address: register number.
        bank: of chips whose register map is switched in banks; the owner is asked to select it.
        fields: its bit fields by datasheet name; with none, the whole byte is the field ``value``.
    """

    def __init__(self, address: int, *, bank: int = 0, **fields: Bits) -> None:
        self.address = address
        self.bank = bank
        self.fields = fields or {"value": Bits(7, 0)}
        self.name = f"register 0x{address:02X}"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.upper()

    @overload
    def __get__(self, owner: None, owner_type: type) -> Register: ...
    @overload
    def __get__(self, owner: RegisterOwner, owner_type: type) -> BoundRegister: ...
    def __get__(self, owner: RegisterOwner | None, owner_type: type) -> Register | BoundRegister:
        return self if owner is None else BoundRegister(self, owner)

    def encode(self, **values: int) -> int:
        """The byte with these field values and 0 elsewhere."""
        return sum(self.fields[name].encode(value) for name, value in values.items())

    def decode(self, byte: int) -> dict[str, int]:
        """Value of every field in ``byte``."""
        return {name: field.decode(byte) for name, field in self.fields.items()}


@dataclass(frozen=True, slots=True)
class BoundRegister:
    """A register of one chip on one bus."""

    register: Register
    owner: RegisterOwner

    def read(self) -> dict[str, int]:
        """Read the register; value of every field."""
        return self.register.decode(self.read_block(1)[0])

    def read_block(self, length: int) -> bytes:
        """Read ``length`` bytes from this register on."""
        self.owner.select_bank(self.register.bank)
        return self.owner.bus.read(self.owner.address, self.register.address, length)

    def write(self, **values: int) -> None:
        """Write the register; fields not named become 0."""
        self.owner.select_bank(self.register.bank)
        self.owner.bus.write(self.owner.address, self.register.address, bytes((self.register.encode(**values),)))

    def write_checked(self, **values: int) -> None:
        """Write the register, read it back and compare.

        Raises:
            SensorError: if it does not hold what was written.
        """
        self.write(**values)
        found, expected = self.read_block(1)[0], self.register.encode(**values)
        if found != expected:
            raise SensorError(
                f"{self.owner.name} on {self.owner.bus.path}",
                found=f"{self.register.name} = 0x{found:02X} after writing it",
                expected=f"0x{expected:02X}",
                next_step="check power and wiring; a chip that goes on refusing is a clone or broken",
            )
