"""An I2C bus in memory, with wire time and declared faults, behind the same protocol as the real one."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from deseptr.device import Clock, bus_errors


class SimulatedDevice(Protocol):
    """A chip as the bus sees it."""

    def read(self, register: int, length: int) -> bytes:
        """``length`` bytes from ``register`` on."""
        ...

    def write(self, register: int, data: bytes) -> None:
        """Take ``data`` for the registers from ``register`` on."""
        ...


@dataclass(frozen=True, slots=True)
class BusFault:
    """Transfers that fail.

    Args:
        number: the ``errno`` that the controller reports.
        register: only transfers that begin at this register; None for all.
        after: how many such transfers succeed first.
        times: how many then fail.
        consumed: bytes that a failing read takes out of the chip before it fails.
    """

    number: int = errno.EREMOTEIO
    register: int | None = None
    after: int = 0
    times: int = 1
    consumed: int = 0


class VirtualI2cBus:
    """A bus with simulated devices on it.

    Args:
        devices: the chips by 7-bit address.
        clock: goes forward by the time that each transfer takes on the wires.
        bus_hz: bus clock.
        faults: what fails and when.
    """

    def __init__(
        self,
        devices: Mapping[int, SimulatedDevice],
        clock: Clock,
        bus_hz: int = 400_000,
        faults: Sequence[BusFault] = (),
    ) -> None:
        self.path = "virtual I2C bus"
        self._devices = devices
        self._clock = clock
        self._bus_hz = bus_hz
        self._faults = faults
        self._seen = [0] * len(faults)
        self.wire_ns = 0

    def write(self, address: int, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on.

        Raises:
            BusError: if no device is at ``address``, or a fault says so.
        """
        self._pass_bytes(2 + len(data))
        with bus_errors(self.path, address):
            device = self._device(address)
            self._fail_if_due(device, register, reading=False)
            device.write(register, data)

    def read(self, address: int, register: int, length: int) -> bytes:
        """Read ``length`` bytes from ``register`` on.

        Raises:
            BusError: if no device is at ``address``, or a fault says so.
        """
        self._pass_bytes(3)
        with bus_errors(self.path, address):
            device = self._device(address)
            self._fail_if_due(device, register, reading=True)
            data = device.read(register, length)
        self._pass_bytes(length)
        return data

    def close(self) -> None:
        """Nothing to release."""

    def _device(self, address: int) -> SimulatedDevice:
        if address not in self._devices:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        return self._devices[address]

    def _fail_if_due(self, device: SimulatedDevice, register: int, *, reading: bool) -> None:
        for number, fault in enumerate(self._faults):
            if fault.register not in (None, register):
                continue
            seen = self._seen[number]
            self._seen[number] += 1
            if fault.after <= seen < fault.after + fault.times:
                if reading and fault.consumed:
                    device.read(register, fault.consumed)
                raise OSError(fault.number, os.strerror(fault.number))

    def _pass_bytes(self, count: int) -> None:
        """Nine bits a byte, and two for start and stop or repeated start."""
        duration_ns = (9 * count + 2) * 1_000_000_000 // self._bus_hz
        self.wire_ns += duration_ns
        self._clock.sleep_ns(duration_ns)
