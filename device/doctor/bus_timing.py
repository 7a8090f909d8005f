"""The bus clock as it really is, from the time that reads of different lengths take.

A byte takes nine clocks on the wires: eight bits and the acknowledge. What a transfer costs besides, addressing and the
host's own work, is the same for every length and falls into the intercept of the line through the times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deseptr.device.bus import I2cBus
from deseptr.device.clock import Clock

BITS_PER_BYTE = 9
# Registers 0x00 to 0x3D: no data register of any known chip is among them, so that reading loses nothing.
FIRST_REGISTER = 0x00
LENGTHS = (2, 14, 26, 38, 50, 62)
READS = 24


@dataclass(frozen=True, slots=True)
class BusTiming:
    """What a bus was measured to be.

    Args:
        hz: its clock; NaN if longer reads took no longer.
        overhead_us: what a read takes beside its data: addressing on the wires, and the host.
    """

    hz: float
    overhead_us: float


def time_bus(bus: I2cBus, clock: Clock, address: int) -> BusTiming:
    """Time reads of several lengths, in turn, and fit a line through the median of each.

    Raises:
        BusError: if a read fails.
    """
    durations = np.empty((READS, len(LENGTHS)))
    for row in durations:
        for column, length in enumerate(LENGTHS):
            began_ns = clock.now_ns()
            bus.read(address, FIRST_REGISTER, length)
            row[column] = clock.now_ns() - began_ns
    # A host that is interrupted makes single reads late, never early: the median forgets them.
    slope_ns, intercept_ns = np.polyfit(LENGTHS, np.median(durations, axis=0), 1)
    hz = BITS_PER_BYTE * 1e9 / slope_ns if slope_ns > 0 else float("nan")
    return BusTiming(float(hz), float(intercept_ns) / 1000)
