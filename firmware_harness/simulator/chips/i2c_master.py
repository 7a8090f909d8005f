"""The I2C master inside an MPU-6500 or ICM-20948, which reads other chips into its own registers.

Written from RM-MPU-6500A rev 2.1, registers 36 to 55, 99 to 103 and 106, and DS-000189 rev 1.3, bank 3: slaves 0 to 3
with every sample, slave 4 once for each request, byte swapping and grouping, and the bits of NACK. Not modelled: the
divider of the slaves' rate, its clock, and the interrupts. Assumed where the documents leave it open: enabling the
master or a slave begins a transfer at once, not with the next sample.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .chip import SimulatedDevice

ENABLE, BYPASS = 0x20, 0x02
READ, SLAVE_ENABLED, SWAPPED, NO_REGISTER, ODD_GROUPS, LENGTH = 0x80, 0x80, 0x40, 0x20, 0x10, 0x0F
SLAVE_4_DONE, SLAVE_4_NACK = 0x40, 0x10
EXTERNAL_BYTES = 24
SLAVES = 4


@dataclass(frozen=True, slots=True)
class SlaveMap:
    """Registers of one slave: address, register, control, data out, and data in of slave 4."""

    address: int
    register: int
    control: int
    data_out: int
    data_in: int = 0


@dataclass(frozen=True, slots=True)
class MasterMap:
    """Registers of the master: USER_CTRL, INT_PIN_CFG, status, external sensor data, slaves 0 to 3, and slave 4."""

    user_ctrl: int
    int_pin_cfg: int
    status: int
    external_data: int
    slaves: tuple[SlaveMap, ...]
    slave_4: SlaveMap


class I2cMaster:
    """Carries out the transfers that a chip's registers describe.

    Args:
        registers: the chip's.
        devices: the chips behind it, by 7-bit address.
    """

    def __init__(self, registers: MasterMap, devices: Mapping[int, SimulatedDevice]) -> None:
        self._map = registers
        self._devices = devices
        self._starts = {registers.user_ctrl, registers.slave_4.control, *(each.control for each in registers.slaves)}

    def bypassed(self, memory: bytearray, address: int) -> SimulatedDevice | None:
        """The device at an address that the chip's host reaches, while the master is off and bypassed."""
        enabled = memory[self._map.user_ctrl] & ENABLE
        return self._devices.get(address) if memory[self._map.int_pin_cfg] & BYPASS and not enabled else None

    def written(self, memory: bytearray, register: int) -> None:
        """A register was written; enabling the master or a slave begins a transfer."""
        if register in self._starts:
            self.sample(memory)

    def sample(self, memory: bytearray) -> None:
        """Carry out the transfers of one sample."""
        if not memory[self._map.user_ctrl] & ENABLE:
            return
        received = bytearray()
        for number, slave in enumerate(self._map.slaves):
            if memory[slave.control] & SLAVE_ENABLED:
                received += self._transfer(memory, slave, 1 << number)
        begin = self._map.external_data
        memory[begin : begin + min(len(received), EXTERNAL_BYTES)] = received[:EXTERNAL_BYTES]
        self._transfer_once(memory)

    def external(self, memory: bytearray, numbers: Collection[int]) -> bytes:
        """What the last sample brought from some of slaves 0 to 3."""
        place, found = self._map.external_data, bytearray()
        for number, slave in enumerate(self._map.slaves):
            reads = memory[slave.control] & SLAVE_ENABLED and memory[slave.address] & READ
            length = memory[slave.control] & LENGTH if reads else 0
            found += memory[place : place + length] if number in numbers else b""
            place += length
        return bytes(found)

    def _transfer(self, memory: bytearray, slave: SlaveMap, nack: int) -> bytes:
        control, address = memory[slave.control], memory[slave.address]
        device = self._devices.get(address & 0x7F)
        length = control & LENGTH
        if device is None:
            memory[self._map.status] |= nack
            return bytes(length) if address & READ else b""
        if not address & READ:
            device.write(memory[slave.register], bytes((memory[slave.data_out],)))
            return b""
        data = device.read(memory[slave.register], length)
        return _swapped(data, memory[slave.register], control) if control & SWAPPED else data

    def _transfer_once(self, memory: bytearray) -> None:
        slave = self._map.slave_4
        if not memory[slave.control] & SLAVE_ENABLED:
            return
        memory[slave.control] &= ~SLAVE_ENABLED
        memory[self._map.status] |= SLAVE_4_DONE
        address = memory[slave.address]
        device = self._devices.get(address & 0x7F)
        if device is None:
            memory[self._map.status] |= SLAVE_4_NACK
        elif address & READ:
            memory[slave.data_in] = device.read(memory[slave.register], 1)[0]
        else:
            device.write(memory[slave.register], bytes((memory[slave.data_out],)))


def _swapped(data: bytes, register: int, control: int) -> bytes:
    """Both bytes of each whole word exchanged; a word begins at an even register, or at an odd one."""
    swapped = bytearray(data)
    first = (register & 1) ^ (control & ODD_GROUPS != 0)
    for place in range(first, len(data) - 1, 2):
        swapped[place], swapped[place + 1] = data[place + 1], data[place]
    return bytes(swapped)
