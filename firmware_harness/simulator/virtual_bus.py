"""An I2C bus in memory, with wire time and declared faults, behind the same protocol as the real one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from deseptr.device import Clock, bus_error

from .bus_profiles import BCM2835, BusProfile
from .chips.chip import BridgingDevice, SimulatedDevice
from .faults.fault import Fault
from .faults.injector import FaultInjector


class VirtualI2cBus:
    """A bus with simulated devices on it.

    Args:
        devices: the chips by 7-bit address.
        clock: the bus's clock; every transfer advances it by its time on the wires.
        profile: the controller.
        faults: the declared faults.

    >>> from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualClock
    >>> clock = VirtualClock()
    >>> bus = VirtualI2cBus({0x68: SimulatedMpu6050(ConstantSource([0, 0, 9.8, 0, 0, 0]), clock)}, clock)
    >>> bus.read(0x68, register=0x75, length=1).hex()
    '68'
    """

    def __init__(
        self,
        devices: Mapping[int, SimulatedDevice],
        clock: Clock,
        profile: BusProfile = BCM2835,
        faults: FaultInjector | Iterable[Fault] = (),
    ) -> None:
        self.path = "virtual I2C bus"
        self.faults = faults if isinstance(faults, FaultInjector) else FaultInjector(faults)
        self.profile = profile
        self._devices = devices
        self._clock = clock
        self.faults.bind(devices, clock, profile)
        self.wire_ns = 0

    def write(self, address: int, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on.

        Raises:
            BusError: if no device is at ``address``, the message is too long, or a fault breaks the transfer.
        """
        self._pass(self.profile.wire_ns(2 + len(data)) + self.profile.message_ns)
        try:
            self._check_length(1 + len(data))
            if self._clock.now_ns() >= self.faults.due_ns:
                transfer = self.faults.transfer(address, register, len(data), reading=False)
                transfer.data = data
                self.faults.strike_data(transfer)
                data = transfer.data
            self._device(address).write(register, data)
        except OSError as error:
            raise bus_error(self.path, address, error) from error

    def read(self, address: int, register: int, length: int) -> bytes:
        """Read ``length`` bytes from ``register`` on.

        Raises:
            BusError: if no device is at ``address``, the message is too long, or a fault breaks the transfer.
        """
        self._pass(self.profile.wire_ns(3) + 2 * self.profile.message_ns)
        try:
            self._check_length(length)
            if self._clock.now_ns() >= self.faults.due_ns:
                transfer = self.faults.transfer(address, register, length, reading=True)
                transfer.data = self._device(address).read(register, length)
                self.faults.strike_data(transfer)
                data = transfer.data
            else:
                data = self._device(address).read(register, length)
        except OSError as error:
            raise bus_error(self.path, address, error) from error
        self._pass(self.profile.wire_ns(length))
        return data

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _device(self, address: int) -> SimulatedDevice:
        device = self._devices.get(address) or self._device_behind(address)
        if device is None:
            raise OSError(self.profile.nack_errno, os.strerror(self.profile.nack_errno))
        return device

    def _device_behind(self, address: int) -> SimulatedDevice | None:
        bridges = (device for device in self._devices.values() if isinstance(device, BridgingDevice))
        return next((found for bridge in bridges if (found := bridge.behind(address)) is not None), None)

    def _check_length(self, length: int) -> None:
        if length > self.profile.max_transfer:
            raise OSError(self.profile.too_long_errno, os.strerror(self.profile.too_long_errno))

    def _pass(self, duration_ns: int) -> None:
        self.wire_ns += duration_ns
        self._clock.sleep_ns(duration_ns)
