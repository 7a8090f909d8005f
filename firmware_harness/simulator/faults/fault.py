"""Faults of a sensor as declared data: kind, time, duration.

A fault is a frozen record of one kind; at its time, a :class:`.FaultInjector` makes it act on the chip or on the
transfers of a virtual bus. Times are seconds after the bus was made, on its clock. Details that a declaration leaves
open, such as the bit that flips, are drawn from the injector's seed.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np

from deseptr.contract import SetupError
from deseptr.contract.counts import counted
from deseptr.contract.limits import Limits
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.bus_profiles import BusProfile
from deseptr.firmware_harness.simulator.chips.chip import SimulatedChip, SimulatedDevice

# Three years; a nanosecond of it still fits into 64 bits.
LONGEST_S = 1e8
_COUNT = Limits(0, 1e9, whole=True)
# Of the fields of all kinds, by name.
LIMITS = {
    **dict.fromkeys(("at_s", "duration_s", "stretch_s"), Limits(0, LONGEST_S)),
    **dict.fromkeys(("after", "transfers", "times", "consumed", "bit"), _COUNT),
    "address": Limits(0, 0x7F, whole=True),
    "register": Limits(0, 0xFFFF, whole=True),
    "number": Limits(1, 4095, whole=True),
}


@dataclass(slots=True)
class Transfer:
    """A transfer under way.

    Args:
        address: address of the chip.
        register: register at which it begins.
        length: number of data bytes.
        reading: whether it is a read.
        chip: the chip; None if there is none at that address.
        clock: the bus's clock.
        profile: the bus's controller.
        data: the data bytes, once there are any.
    """

    address: int
    register: int
    length: int
    reading: bool
    chip: SimulatedDevice | None
    clock: Clock
    profile: BusProfile
    data: bytes = b""

    @property
    def of_fifo(self) -> bool:
        """Whether it reads FIFO data."""
        return self.reading and self.register == getattr(self.chip, "fifo_register", None)

    def fail(self, number: int) -> NoReturn:
        """End the transfer with an error.

        Raises:
            OSError: always.
        """
        raise OSError(number, os.strerror(number))

    def break_off(self, consumed: int, number: int) -> NoReturn:
        """Read ``consumed`` bytes from the chip if it is a read, then end the transfer with an error.

        Raises:
            OSError: always.
        """
        if self.reading and consumed and self.chip is not None:
            self.chip.read(self.register, min(consumed, self.length))
        self.fail(number)

    def flip(self, bit: int | None, rng: np.random.Generator) -> str:
        """Flip bit number ``bit`` of the data, 0 for the highest of the first byte, or a random one; describes it."""
        if bit is None:
            bit = int(rng.integers(8 * len(self.data)))
        flipped = bytearray(self.data)
        if bit < 8 * len(flipped):
            flipped[bit // 8] ^= 0x80 >> bit % 8
            self.data = bytes(flipped)
        return f"bit {bit} of {counted(len(flipped), 'byte')}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Base class of all kinds.

    Args:
        at_s: time of its begin, seconds after the bus was made.
        address: address of the only chip that it concerns; None for all on the bus.
    """

    kind: ClassVar[str]
    # Whether it hits the data of a transfer, not the transfer as a whole.
    strikes_data: ClassVar[bool] = False

    at_s: float = 0.0
    address: int | None = None

    def __post_init__(self) -> None:
        self._require("at_s", self.at_s, math.isfinite(self.at_s) and self.at_s >= 0, "a time of at least 0 s")
        self._check()
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if name in LIMITS and value is not None:
                self._require(name, value, LIMITS[name].allow(value), str(LIMITS[name]))

    @property
    def lasts_s(self) -> float:
        """Its duration; 0 if it acts only at its begin, infinite if only a number of transfers ends it."""
        return 0.0

    @property
    def strikes(self) -> int | None:
        """Number of transfers that it hits before it ends; None for no limit."""
        return None

    @property
    def skips(self) -> int:
        """Number of transfers that it concerns and that pass before its first hit."""
        return 0

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """Act on a chip at its begin; returns a description of what it hit."""
        return ""

    def concerns(self, transfer: Transfer) -> bool:
        """Whether it may hit this transfer."""
        return True

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Hit a transfer; returns a description of what it hit.

        Raises:
            OSError: if that ends the transfer.
        """
        return ""

    def _check(self) -> None:
        """Refuse invalid values."""

    def _require(self, key: str, found: object, good: bool, expected: str) -> None:
        if not good:
            raise SetupError(f"fault {self.kind}, {key}", found=found, expected=expected, next_step=f"change {key}")


@dataclass(frozen=True, kw_only=True)
class Lasting(Fault):
    """Base class of the kinds with a duration.

    Args:
        duration_s: the duration, seconds.
    """

    duration_s: float

    @property
    def lasts_s(self) -> float:
        """Its duration."""
        return self.duration_s

    def _check(self) -> None:
        good = math.isfinite(self.duration_s) and self.duration_s > 0
        self._require("duration_s", self.duration_s, good, "a time of more than 0 s")


@dataclass(frozen=True, kw_only=True)
class Counted(Fault):
    """Base class of the kinds that hit a number of transfers.

    Args:
        register: only transfers that begin at this register; None for all.
        fifo: only reads of FIFO data.
        after: number of such transfers that pass first.
        transfers: number of transfers that it hits then.
    """

    register: int | None = None
    fifo: bool = False
    after: int = 0
    transfers: int = 1

    @property
    def lasts_s(self) -> float:
        """Infinite: it ends after its transfers."""
        return math.inf

    @property
    def strikes(self) -> int | None:
        """Number of transfers that it hits."""
        return self.transfers

    @property
    def skips(self) -> int:
        """Number of transfers that pass first."""
        return self.after

    def concerns(self, transfer: Transfer) -> bool:
        """Whether register and direction match."""
        return (self.register is None or self.register == transfer.register) and (transfer.of_fifo or not self.fifo)

    def _check(self) -> None:
        self._require("transfers", self.transfers, self.transfers > 0, "at least 1")
        self._require("after", self.after, self.after >= 0, "at least 0")
