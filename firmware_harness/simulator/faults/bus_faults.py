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
    """No device acknowledges: a loose wire, a pulled plug.

    Args:
        duration_s: its duration; 0 if ``transfers`` is given.
        transfers: number of transfers that it hits; 0 if ``duration_s`` is given.
    """

    kind: ClassVar[str] = "nack"
    duration_s: float = 0.0
    transfers: int = 0

    @property
    def lasts_s(self) -> float:
        """Its duration."""
        return self.duration_s or math.inf

    @property
    def strikes(self) -> int | None:
        """Number of transfers that it hits."""
        return self.transfers or None

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Fail without an acknowledge."""
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
        """Wait for the controller's timeout, then fail."""
        transfer.clock.sleep_ns(transfer.profile.timeout_ns)
        transfer.fail(transfer.profile.stuck_errno)


@dataclass(frozen=True, kw_only=True)
class ClockStretch(Lasting):
    """The chip holds the clock low in each transfer, perhaps for longer than the controller accepts.

    Args:
        stretch_s: duration in each transfer.
    """

    kind: ClassVar[str] = "clock-stretch"
    stretch_s: float

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Wait for the chip, or for the controller's timeout."""
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
        """Read some bytes, then break off."""
        transfer.break_off(self.consumed, errno.EIO)

    def _check(self) -> None:
        super()._check()
        self._require("consumed", self.consumed, self.consumed >= 0, "at least 0")


@dataclass(frozen=True)
class BusFault(Fault):
    """Any error of a controller, in a number of transfers.

    Args:
        number: the ``errno`` that it reports.
        register: only transfers that begin at this register; None for all.
        after: number of such transfers that pass first.
        times: number of transfers that fail then.
        consumed: number of bytes that a failing read takes out of the chip before it fails.
    """

    kind: ClassVar[str] = "bus-error"
    number: int = errno.EREMOTEIO
    register: int | None = None
    after: int = 0
    times: int = 1
    consumed: int = 0

    @property
    def lasts_s(self) -> float:
        """Infinite: it ends after its transfers."""
        return math.inf

    @property
    def strikes(self) -> int | None:
        """Number of transfers that it hits."""
        return self.times

    @property
    def skips(self) -> int:
        """Number of transfers that pass first."""
        return self.after

    def concerns(self, transfer: Transfer) -> bool:
        """Whether the transfer begins at its register."""
        return self.register in (None, transfer.register)

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Read some bytes, then fail."""
        transfer.break_off(self.consumed, self.number)


@dataclass(frozen=True, kw_only=True)
class BitFlipRead(Counted):
    """One bit of a read is flipped on the wires.

    Args:
        bit: number of the bit, 0 for the highest of the first byte; random if None.
    """

    kind: ClassVar[str] = "bit-flip-read"
    strikes_data: ClassVar[bool] = True
    bit: int | None = None

    def concerns(self, transfer: Transfer) -> bool:
        """Whether the transfer is a read that it may hit."""
        return transfer.reading and super().concerns(transfer)

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Flip the bit."""
        return transfer.flip(self.bit, rng)


@dataclass(frozen=True, kw_only=True)
class BitFlipWrite(Counted):
    """One bit of a write is flipped on the wires.

    Args:
        bit: number of the bit, 0 for the highest of the first byte; random if None.
    """

    kind: ClassVar[str] = "bit-flip-write"
    strikes_data: ClassVar[bool] = True
    bit: int | None = None

    def concerns(self, transfer: Transfer) -> bool:
        """Whether the transfer is a write that it may hit."""
        return not transfer.reading and super().concerns(transfer)

    def strike(self, transfer: Transfer, rng: np.random.Generator) -> str:
        """Flip the bit."""
        return transfer.flip(self.bit, rng)
