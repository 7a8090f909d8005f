"""What can go wrong with a sensor, as a list to declare: what, when, how long.

A fault is a frozen record of one kind; when its time has come, a :class:`.FaultInjector` lets it act on the chip or on
the transfers of a virtual bus. Times are seconds after the bus was made, on its clock. What a declaration leaves open,
such as which bit flips, the injector draws from its seed.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np

from deseptr.contract import SetupError
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.bus_profiles import BusProfile
from deseptr.firmware_harness.simulator.chips.chip import SimulatedChip, SimulatedDevice


@dataclass(slots=True)
class Transfer:
    """A transfer under way.

    Args:
        address: of the chip.
        register: that it begins at.
        length: bytes of data.
        reading: whether the chip gives them.
        chip: the chip, None where nobody is.
        clock: of the bus.
        profile: of the bus.
        data: the bytes, as soon as there are any.
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
        """Whether it reads the FIFO's data."""
        return self.reading and self.register == getattr(self.chip, "fifo_register", None)

    def fail(self, number: int) -> NoReturn:
        """End it with an error.

        Raises:
            OSError: always.
        """
        raise OSError(number, os.strerror(number))

    def break_off(self, consumed: int, number: int) -> NoReturn:
        """Let a read take ``consumed`` bytes out of the chip, then end it with an error.

        Raises:
            OSError: always.
        """
        if self.reading and consumed and self.chip is not None:
            self.chip.read(self.register, min(consumed, self.length))
        self.fail(number)

    def flip(self, bit: int | None, rng: np.random.Generator) -> str:
        """Flip a bit of the data, the first byte's highest being 0, or any one; returns which, in words."""
        if bit is None:
            bit = int(rng.integers(8 * len(self.data)))
        flipped = bytearray(self.data)
        if bit < 8 * len(flipped):
            flipped[bit // 8] ^= 0x80 >> bit % 8
            self.data = bytes(flipped)
        return f"bit {bit} of {len(flipped)} bytes"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Base of all kinds.

    Args:
        at_s: when it begins, seconds after the bus was made.
        address: of the only chip that it concerns; None for all on the bus.
    """

    kind: ClassVar[str]
    # Whether it strikes the data of a transfer, not the transfer as a whole.
    strikes_data: ClassVar[bool] = False

    at_s: float = 0.0
    address: int | None = None

    def __post_init__(self) -> None:
        self._require("at_s", self.at_s, math.isfinite(self.at_s) and self.at_s >= 0, "a time of at least 0 s")
        self._check()

    @property
    def lasts_s(self) -> float:
        """How long it goes on; 0 where it only begins, infinite where only a count ends it."""
        return 0.0

    @property
    def strikes(self) -> int | None:
        """How many transfers it hits before it ends; None for no limit."""
        return None

    @property
    def skips(self) -> int:
        """How many transfers that it concerns pass before the first that it hits."""
        return 0

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """What it does to a chip when it begins; returns what it hit, in words."""
        return ""

    def concerns(self, transfer: Transfer) -> bool:
        """Whether it may hit this transfer."""
        return True

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Hit a transfer; returns what it hit, in words.

        Raises:
            OSError: if that ends the transfer.
        """
        return ""

    def _check(self) -> None:
        """Refuse what makes no sense."""

    def _require(self, key: str, found: object, good: bool, expected: str) -> None:
        if not good:
            raise SetupError(f"fault {self.kind}, {key}", found=found, expected=expected, next_step=f"change {key}")


@dataclass(frozen=True, kw_only=True)
class Lasting(Fault):
    """Base of the kinds that go on for a time.

    Args:
        duration_s: how long.
    """

    duration_s: float

    @property
    def lasts_s(self) -> float:
        """How long it goes on."""
        return self.duration_s

    def _check(self) -> None:
        good = math.isfinite(self.duration_s) and self.duration_s > 0
        self._require("duration_s", self.duration_s, good, "a time of more than 0 s")


@dataclass(frozen=True, kw_only=True)
class Counted(Fault):
    """Base of the kinds that hit the next so many transfers.

    Args:
        register: only transfers that begin at this register; None for all.
        fifo: only reads of FIFO data.
        after: how many such transfers pass first.
        transfers: how many it then hits.
    """

    register: int | None = None
    fifo: bool = False
    after: int = 0
    transfers: int = 1

    @property
    def lasts_s(self) -> float:
        """Until it has hit its transfers."""
        return math.inf

    @property
    def strikes(self) -> int | None:
        """How many transfers it hits."""
        return self.transfers

    @property
    def skips(self) -> int:
        """How many pass first."""
        return self.after

    def concerns(self, transfer: Transfer) -> bool:
        """Whether register and direction are those that it waits for."""
        return (self.register is None or self.register == transfer.register) and (transfer.of_fifo or not self.fifo)

    def _check(self) -> None:
        self._require("transfers", self.transfers, self.transfers > 0, "at least 1")
        self._require("after", self.after, self.after >= 0, "at least 0")
