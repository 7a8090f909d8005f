"""Opening of I2C buses: the machine's own, or the bus of a harness in their place.

A simulated bus behind a character device is opened by its number like any other. A simulated bus in memory has no
device node: :func:`override_bus` puts it in the place of every bus, and its clock in the place of the machine's, so
that a command runs unchanged.
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
    """An open bus, and the clock of the devices on it.

    Args:
        bus: the bus.
        clock: the clock.
        simulated: whether a harness simulates it.
        reopen: opens it again; None if it cannot be reopened.
    """

    bus: I2cBus
    clock: Clock
    simulated: bool = False
    reopen: Callable[[], None] | None = None


_OVERRIDE: ContextVar[OpenBus | None] = ContextVar("override", default=None)


@contextmanager
def override_bus(bus: I2cBus, clock: Clock) -> Iterator[None]:
    """Make :func:`open_bus` give ``bus`` and ``clock`` for every bus number within the block.

    >>> from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
    >>> clock = VirtualClock()
    >>> with override_bus(VirtualI2cBus({}, clock), clock):
    ...     open_bus(1).bus.path
    'virtual I2C bus'
    """
    token = _OVERRIDE.set(OpenBus(bus, clock, simulated=True))
    try:
        yield
    finally:
        _OVERRIDE.reset(token)


def overriding_bus() -> OpenBus | None:
    """The bus of the :func:`override_bus` that is in force; None outside of one."""
    return _OVERRIDE.get()


def open_bus(number: int) -> OpenBus:
    """Open the bus with this number; within :func:`override_bus`, the bus given there.

    Raises:
        BusError: if it is missing or may not be opened.
        SetupError: if smbus2 is not installed.

    >>> from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
    >>> clock = VirtualClock()
    >>> with override_bus(VirtualI2cBus({}, clock), clock):
    ...     open_bus(1).simulated
    True
    """
    override = overriding_bus()
    if override is not None:
        return override
    bus = LinuxI2cBus(number)
    return OpenBus(bus, SystemClock(), reopen=bus.reopen)
