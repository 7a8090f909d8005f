"""Injection of declared faults: the begin and end of each, the transfers that it hits, and a log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.bus_profiles import BusProfile
from deseptr.firmware_harness.simulator.chips.chip import SimulatedChip, SimulatedDevice

from .fault import Fault, Transfer


@dataclass(slots=True)
class LoggedFault:
    """A fault that has begun, and its effect.

    Args:
        fault: the declared fault.
        begin_ns: time at which it began, on the bus's clock; for one that waits for a transfer, time of its first hit.
        end_ns: time at which it ended; None while it lasts. Its effect on the chip may last longer.
        transfers: number of transfers that it hit.
        fifo_reads: number of these that read FIFO data.
        hit: description of what it hit; empty if nothing.
    """

    fault: Fault
    begin_ns: int
    end_ns: int | None = None
    transfers: int = 0
    fifo_reads: int = 0
    hit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For reports."""
        return {
            "kind": self.fault.kind,
            "begin_s": self.begin_ns / 1e9,
            "end_s": None if self.end_ns is None else self.end_ns / 1e9,
            "transfers": self.transfers,
            "hit": self.hit,
        }


@dataclass(slots=True)
class _Active:
    fault: Fault
    entry: LoggedFault
    end_ns: float
    left: float
    skips: int


@dataclass(slots=True)
class FaultLog:
    """All faults that have begun, in the order of their begin."""

    entries: list[LoggedFault] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[LoggedFault]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.fault.kind == kind]


class FaultInjector:
    """Injects declared faults on one bus.

    It acts only when the bus calls it before a transfer: faults of the chip that have come due since the last transfer
    act then, with their own time. The result is the same as acting at once, since nothing else accesses the chip.

    Args:
        faults: the declared faults, in any order.
        seed: seed of the random details of the faults.
    """

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.log = FaultLog()
        # The sort is stable, so that the list and the seed alone determine the effect.
        self._pending = sorted(faults, key=lambda fault: fault.at_s, reverse=True)
        self._active: list[_Active] = []
        self._rng = np.random.default_rng(seed)
        self._devices: Mapping[int, SimulatedDevice] = {}
        self._begun_ns = 0
        self.due_ns: float = math.inf

    def bind(self, devices: Mapping[int, SimulatedDevice], clock: Clock, profile: BusProfile) -> None:
        """Begin on this bus."""
        self._devices, self._clock, self._profile = devices, clock, profile
        self._begun_ns = clock.now_ns()
        self._set_due()

    def transfer(self, address: int, register: int, length: int, *, reading: bool) -> Transfer:
        """A transfer that is about to begin, after the faults that hit it as a whole.

        Raises:
            OSError: if a fault ends it.
        """
        made = Transfer(address, register, length, reading, self._devices.get(address), self._clock, self._profile)
        self._begin_due()
        try:
            self._strike(made, data=False)
        finally:
            self._set_due()
        return made

    def strike_data(self, transfer: Transfer) -> None:
        """Let faults hit the data of a transfer."""
        self._strike(transfer, data=True)
        self._set_due()

    def finish(self) -> None:
        """Begin and end all faults that are due by now, for a complete log."""
        self._begin_due()
        self._set_due()

    def _strike(self, transfer: Transfer, *, data: bool) -> None:
        done: list[_Active] = []
        # During a stall other faults may begin, which hit the same transfer.
        while left := [active for active in self._active if not any(active is other for other in done)]:
            done.append(left[0])
            if left[0].fault.strikes_data == data and self._hits(left[0], transfer):
                self._hit(left[0], transfer)

    def _hits(self, active: _Active, transfer: Transfer) -> bool:
        fault = active.fault
        if self._clock.now_ns() >= active.end_ns or fault.address not in (None, transfer.address):
            return False
        if not fault.concerns(transfer):
            return False
        active.skips -= 1
        return active.skips < 0

    def _hit(self, active: _Active, transfer: Transfer) -> None:
        entry = active.entry
        if active.end_ns == math.inf and not entry.transfers:
            entry.begin_ns = self._clock.now_ns()
        entry.transfers += 1
        entry.fifo_reads += transfer.of_fifo
        entry.hit = entry.hit or f"{'read from' if transfer.reading else 'write to'} 0x{transfer.register:02X}"
        active.left -= 1
        try:
            if what := active.fault.strike(transfer, self._rng):
                entry.hit = f"{what}, {entry.hit}"
        finally:
            if active.left <= 0:
                self._end(active, self._clock.now_ns())
            self._begin_due()

    def _begin_due(self) -> None:
        now_ns = self._clock.now_ns()
        while self._pending and self._time_of(self._pending[-1]) <= now_ns:
            self._begin(self._pending.pop())
        for active in [active for active in self._active if active.end_ns <= now_ns]:
            self._end(active, round(active.end_ns))

    def _begin(self, fault: Fault) -> None:
        begin_ns = self._time_of(fault)
        entry = LoggedFault(fault, begin_ns)
        self.log.entries.append(entry)
        for address, device in self._devices.items():
            if fault.address in (None, address) and isinstance(device, SimulatedChip):
                entry.hit = fault.begin(device, begin_ns, self._rng)
        strikes = math.inf if fault.strikes is None else fault.strikes
        self._active.append(_Active(fault, entry, begin_ns + fault.lasts_s * 1e9, strikes, fault.skips))

    def _end(self, active: _Active, now_ns: int) -> None:
        self._active = [other for other in self._active if other is not active]
        active.entry.end_ns = now_ns

    def _time_of(self, fault: Fault) -> int:
        return self._begun_ns + round(fault.at_s * 1e9)

    def _set_due(self) -> None:
        if self._active:
            self.due_ns = -math.inf
        else:
            self.due_ns = self._time_of(self._pending[-1]) if self._pending else math.inf
