"""Faults on the wires: transfers that fail, stall or carry a wrong bit."""

from __future__ import annotations

import errno
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .fault import Counted, Fault, Lasting, Transfer


@dataclass(frozen=True, kw_only=True)
class Nack(Fault):
    """Nobody acknowledges: a loose wire, a plug that is out.

    Args:
        duration_s: for how long; 0 where ``transfers`` counts.
        transfers: for how many transfers; 0 where ``duration_s`` counts.
    """

    kind: ClassVar[str] = "nack"
    duration_s: float = 0.0
    transfers: int = 0

    @property
    def lasts_s(self) -> float:
        """How long it goes on."""
        return self.duration_s or math.inf

    @property
    def strikes(self) -> int | None:
        """How many transfers it hits."""
        return self.transfers or None

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """No acknowledge."""
        transfer.fail(transfer.profile.nack_errno)

    def _check(self) -> None:
        self._require("duration_s", self.duration_s, 0 <= self.duration_s < math.inf, "a time of at least 0 s")
        self._require("transfers", self.transfers, self.transfers >= 0, "at least 0")
        one = bool(self.duration_s) != bool(self.transfers)
        self._require("duration_s", self.duration_s, one, "either duration_s or transfers, not both")


@dataclass(frozen=True, kw_only=True)
class StuckBus(Lasting):
    """A line is held low: each transfer costs the controller's timeout, and fails."""

    kind: ClassVar[str] = "stuck-bus"

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Wait for nothing."""
        transfer.clock.sleep_ns(transfer.profile.timeout_ns)
        transfer.fail(transfer.profile.stuck_errno)


@dataclass(frozen=True, kw_only=True)
class ClockStretch(Lasting):
    """The chip holds the clock low in each transfer, perhaps for longer than the controller takes.

    Args:
        stretch_s: how long in each.
    """

    kind: ClassVar[str] = "clock-stretch"
    stretch_s: float

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Wait for the chip, or for the controller's patience to end."""
        stretch_ns = round(self.stretch_s * 1e9)
        transfer.clock.sleep_ns(min(stretch_ns, transfer.profile.stretch_ns))
        if stretch_ns > transfer.profile.stretch_ns:
            transfer.fail(transfer.profile.stretch_errno)
        return ""

    def _check(self) -> None:
        super()._check()
        self._require("stretch_s", self.stretch_s, 0 < self.stretch_s < math.inf, "a time of more than 0 s")


@dataclass(frozen=True, kw_only=True)
class BrokenTransfer(Counted):
    """A transfer breaks off half-way (EIO).

    Args:
        consumed: bytes that a read takes out of the chip before it breaks off.
    """

    kind: ClassVar[str] = "broken-transfer"
    consumed: int = 0

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Take some bytes, then break off."""
        transfer.break_off(self.consumed, errno.EIO)

    def _check(self) -> None:
        super()._check()
        self._require("consumed", self.consumed, self.consumed >= 0, "at least 0")


@dataclass(frozen=True)
class BusFault(Fault):
    """Any error of a controller, counted off by transfers.

    Args:
        number: the ``errno`` that it reports.
        register: only transfers that begin at this register; None for all.
        after: how many such transfers pass first.
        times: how many then fail.
        consumed: bytes that a failing read takes out of the chip before it fails.
    """

    kind: ClassVar[str] = "bus-error"
    number: int = errno.EREMOTEIO
    register: int | None = None
    after: int = 0
    times: int = 1
    consumed: int = 0

    @property
    def lasts_s(self) -> float:
        """Until it has hit its transfers."""
        return math.inf

    @property
    def strikes(self) -> int | None:
        """How many transfers it hits."""
        return self.times

    @property
    def skips(self) -> int:
        """How many pass first."""
        return self.after

    def concerns(self, transfer: Transfer) -> bool:
        """Whether the register is the one that it waits for."""
        return self.register in (None, transfer.register)

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Take some bytes, then fail."""
        transfer.break_off(self.consumed, self.number)


@dataclass(frozen=True, kw_only=True)
class BitFlipRead(Counted):
    """One bit of what the host reads differs from what the chip sent.

    Args:
        bit: which, the first byte's highest being 0; drawn where None.
    """

    kind: ClassVar[str] = "bit-flip-read"
    strikes_data: ClassVar[bool] = True
    bit: int | None = None

    def concerns(self, transfer: Transfer) -> bool:
        """Whether it is such a read."""
        return transfer.reading and super().concerns(transfer)

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Flip."""
        return transfer.flip(self.bit, rng)


@dataclass(frozen=True, kw_only=True)
class BitFlipWrite(Counted):
    """One bit of what the chip receives differs from what the host sent.

    Args:
        bit: which, the first byte's highest being 0; drawn where None.
    """

    kind: ClassVar[str] = "bit-flip-write"
    strikes_data: ClassVar[bool] = True
    bit: int | None = None

    def concerns(self, transfer: Transfer) -> bool:
        """Whether it is such a write."""
        return not transfer.reading and super().concerns(transfer)

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Flip."""
        return transfer.flip(self.bit, rng)
