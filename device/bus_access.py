"""Where the I2C buses of this process are: the machine's own, or one that a harness has put in their place.

A simulated bus behind a character device is reached by its number like any other. One in memory has no device node;
what is attached here takes the place of every bus, and its clock that of the machine, so that a command runs unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from .bus import I2cBus, LinuxI2cBus
from .clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class OpenBus:
    """A bus, and the clock that what is on it lives by.

    Args:
        bus: the bus.
        clock: the clock.
        simulated: whether it is one of a harness.
        reopen: opens it anew; None where it cannot be.
    """

    bus: I2cBus
    clock: Clock
    simulated: bool = False
    reopen: Callable[[], None] | None = None


_ATTACHED: ContextVar[OpenBus | None] = ContextVar("attached", default=None)


@contextmanager
def attached_bus(bus: I2cBus, clock: Clock) -> Iterator[None]:
    """Within the block, every bus that is opened by its number is ``bus``."""
    token = _ATTACHED.set(OpenBus(bus, clock, simulated=True))
    try:
        yield
    finally:
        _ATTACHED.reset(token)


def open_bus(number: int) -> OpenBus:
    """The bus with this number.

    Raises:
        BusError: if it is missing or may not be opened.
        SetupError: if smbus2 is not installed.
    """
    attached = _ATTACHED.get()
    if attached is not None:
        return attached
    bus = LinuxI2cBus(number)
    return OpenBus(bus, SystemClock(), reopen=bus.reopen)
