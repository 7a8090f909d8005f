"""Measurement of the bus clock, from the durations of reads of different lengths.

A byte takes nine clocks on the wires: eight bits and the acknowledge. The rest of a transfer, addressing and the host's
own work, is the same for every length and goes into the intercept of the line through the durations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.device.bus import I2cBus
from deseptr.device.clock import Clock

BITS_PER_BYTE = 9
# Registers 0x00 to 0x3D. Some chips' FIFOs are among them, from which nothing is lost before sampling begins.
FIRST_REGISTER = 0x00
LENGTHS = (2, 14, 26, 38, 50, 62)
READS = 24
MOST_ROUNDS = 12
WANTED_SPREAD = 0.02
# The fastest mode there is (UM10204, I2C-bus specification, rev 7, section 1).
FASTEST_HZ = 5_000_000


@dataclass(frozen=True, slots=True)
class BusTiming:
    """Measured timing of a bus.

    Args:
        hz: its clock; NaN if that would be faster than any bus.
        spread: standard error of the clock, as a share of it.
        overhead_us: duration of a read besides its data: addressing on the wires, and the host.
    """

    hz: float
    spread: float
    overhead_us: float


def time_bus(bus: I2cBus, clock: Clock, address: int) -> BusTiming:
    """Time reads of several lengths, in turn, until the clock's standard error is small enough.

    Raises:
        BusError: if a read fails.
    """
    durations = np.empty((0, len(LENGTHS)))
    for _ in range(MOST_ROUNDS):
        durations = np.concatenate([durations, _round(bus, clock, address)])
        timing = _fit(durations)
        if timing.spread <= WANTED_SPREAD:
            break
    return timing


def _round(bus: I2cBus, clock: Clock, address: int) -> NDArray[np.float64]:
    durations = np.empty((READS, len(LENGTHS)))
    for row in durations:
        for column, length in enumerate(LENGTHS):
            began_ns = clock.now_ns()
            bus.read(address, FIRST_REGISTER, length)
            row[column] = clock.now_ns() - began_ns
    return durations


def _fit(durations: NDArray[np.float64]) -> BusTiming:
    """Least squares through the median duration of each length: single reads delayed by a busy host do not count."""
    medians = np.median(durations, axis=0)
    slope_ns, intercept_ns = np.polyfit(LENGTHS, medians, 1)
    hz = BITS_PER_BYTE * 1e9 / slope_ns if slope_ns > 0 else math.inf
    if hz > FASTEST_HZ:
        hz = math.nan
    # Standard error of a median, from the median absolute deviation of normal errors.
    error_ns = 1.2533 * 1.4826 * np.median(np.abs(durations - medians)) / math.sqrt(len(durations))
    lever = math.sqrt(len(LENGTHS)) * np.std(LENGTHS)
    return BusTiming(float(hz), float(error_ns / lever / abs(slope_ns)) if slope_ns else math.inf, intercept_ns / 1000)
