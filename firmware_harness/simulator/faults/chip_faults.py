"""Faults of the chip itself, of its supply, and of the host that polls it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deseptr.firmware_harness.simulator.chips.chip import SimulatedChip

from .fault import Fault, Lasting, Transfer


@dataclass(frozen=True, kw_only=True)
class RegisterUpset(Fault):
    """A bit of the chip's register memory flips and stays flipped until it is written.

    Args:
        register: number of the register; a random one with writable bits if None.
        bit: 7 to 0; random if None.
    """

    kind: ClassVar[str] = "register-upset"
    register: int | None = None
    bit: int | None = None

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """Flip the bit."""
        register = int(rng.choice(chip.registers)) if self.register is None else self.register
        bit = int(rng.integers(8)) if self.bit is None else self.bit
        chip.upset(register, bit, at_ns)
        return f"register 0x{register:02X}, bit {bit}"

    def _check(self) -> None:
        self._require("bit", self.bit, self.bit is None or 0 <= self.bit <= 7, "0 to 7")


@dataclass(frozen=True, kw_only=True)
class BrownOut(Lasting):
    """The chip loses its power for a time: no acknowledge, then power-up state with registers and FIFO lost."""

    kind: ClassVar[str] = "brown-out"

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """Reset registers and FIFO."""
        chip.power_cycle(at_ns)
        return "registers and FIFO"

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Fail without an acknowledge."""
        transfer.fail(transfer.profile.nack_errno)


@dataclass(frozen=True, kw_only=True)
class Hang(Fault):
    """The chip keeps answering but takes no sample until it is reset."""

    kind: ClassVar[str] = "hang"

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """Stop sampling."""
        chip.hang(at_ns)
        return "samples"


@dataclass(frozen=True, kw_only=True)
class Overflow(Lasting):
    """The host stalls before its next transfer and does not poll meanwhile."""

    kind: ClassVar[str] = "overflow"

    @property
    def lasts_s(self) -> float:
        """Infinite: it ends after the transfer that it delays."""
        return math.inf

    @property
    def strikes(self) -> int | None:
        """One: the stall ends with the transfer that it delays."""
        return 1

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Advance the clock by the duration of the stall."""
        transfer.clock.sleep_ns(round(self.duration_s * 1e9))
        return "host"


@dataclass(frozen=True, kw_only=True)
class RateError(Fault):
    """The chip's oscillator is off, from now on.

    Args:
        rate_error: share by which it is fast; negative if it is slow.
    """

    kind: ClassVar[str] = "rate-error"
    rate_error: float

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """Change the oscillator's rate."""
        chip.detune(self.rate_error, at_ns)
        return f"oscillator, {self.rate_error:+.2%}"

    def _check(self) -> None:
        self._require("rate_error", self.rate_error, -0.9 <= self.rate_error <= 9, "a share of -0.9 to 9")


@dataclass(frozen=True, kw_only=True)
class Clone(Fault):
    """The chip on the board is another one than labelled.

    Args:
        who_am_i: value of its identity register.
    """

    kind: ClassVar[str] = "clone"
    who_am_i: int

    def begin(self, chip: SimulatedChip, at_ns: int, rng: np.random.Generator) -> str:
        """Change the chip's identity."""
        chip.impersonate(self.who_am_i)
        return f"WHO_AM_I 0x{self.who_am_i:02X}"

    def _check(self) -> None:
        self._require("who_am_i", self.who_am_i, 0 <= self.who_am_i <= 0xFF, "a byte")
