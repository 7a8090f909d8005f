"""``/dev/i2c-N`` as a program sees it: the ioctls, reads and writes of Linux' i2c-dev, on a bus of messages.

After drivers/i2c/i2c-dev.c and linux/i2c-dev.h. The front end transfers an ioctl's argument and results, as a
:class:`MemoryBlock`. All data is read before anything is done on the bus. Structures have the machine's own layout, so
that programs with another word size are not supported.
"""

from __future__ import annotations

import errno
import struct
from typing import Protocol

from .messages import Message, MessageBus, failure
from .smbus import BLOCK_MAX, BYTE, BYTE_DATA, I2C_BLOCK_DATA, PROC_CALL, QUICK, WORD_DATA, smbus_transfer

I2C_RETRIES, I2C_TIMEOUT, I2C_SLAVE, I2C_TENBIT, I2C_FUNCS = 0x701, 0x702, 0x703, 0x704, 0x705
I2C_SLAVE_FORCE, I2C_RDWR, I2C_PEC, I2C_SMBUS = 0x706, 0x707, 0x708, 0x720
I2C_M_RD = SMBUS_READ = 1
MAX_MESSAGES = 42
MAX_LENGTH = 8192

POINTER = struct.Struct("@N")
# struct i2c_rdwr_ioctl_data, i2c_msg and i2c_smbus_ioctl_data; a zero-length item at the end pads to the alignment.
RDWR = struct.Struct("@NI0N")
MESSAGE = struct.Struct("@HHHN")
SMBUS = struct.Struct("@BBIN")
# Bytes of union i2c_smbus_data that a transaction uses; the others use all of it.
_UNION_BYTES = {BYTE: 1, BYTE_DATA: 1, WORD_DATA: 2, PROC_CALL: 2}


class MemoryBlock(Protocol):
    """A piece of the calling program's memory."""

    @property
    def data(self) -> bytes:
        """Its content at the time of the ioctl. A front end may have to fetch it first and repeat the ioctl."""
        ...

    def follow(self, offset: int, length: int, *, writable: bool = False) -> MemoryBlock:
        """The ``length`` bytes to which the pointer at ``offset`` points; ``writable`` if they may be stored to."""
        ...

    def store(self, data: bytes) -> None:
        """Write ``data`` to the beginning of the block."""
        ...


class I2cDevFile:
    """A file that a program got by opening the device.

    Args:
        bus: the bus for its messages.
    """

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._address = 0

    def read(self, length: int) -> bytes:
        """``read(2)``: from the address chosen by ``I2C_SLAVE``.

        Raises:
            OSError: with the errno for the program.
        """
        return self._bus.transfer([Message(self._address, length=min(length, MAX_LENGTH))])[0]

    def write(self, data: bytes) -> int:
        """``write(2)``: to the address chosen by ``I2C_SLAVE``; returns the number of bytes written.

        Raises:
            OSError: with the errno for the program.
        """
        taken = data[:MAX_LENGTH]
        self._bus.transfer([Message(self._address, taken)])
        return len(taken)

    def ioctl(self, request: int, argument: MemoryBlock) -> int:
        """``ioctl(2)``; gives its return value.

        Args:
            request: number of the ioctl, such as :data:`I2C_RDWR`.
            argument: block with the argument itself, a number or a pointer.

        Raises:
            OSError: with the errno for the program.
        """
        if request == I2C_RDWR:
            return self._rdwr(argument)
        if request == I2C_SMBUS:
            return self._smbus(argument)
        if request == I2C_FUNCS:
            argument.follow(0, POINTER.size, writable=True).store(POINTER.pack(self._bus.profile.functions))
            return 0
        self._set(request, *POINTER.unpack(argument.data))
        return 0

    def _set(self, request: int, value: int) -> None:
        if request in (I2C_SLAVE, I2C_SLAVE_FORCE):
            if value > 0x7F:
                raise failure(errno.EINVAL)
            self._address = value
        elif request in (I2C_TENBIT, I2C_PEC):
            if value:
                raise failure(errno.EOPNOTSUPP)
        elif request not in (I2C_RETRIES, I2C_TIMEOUT):
            raise failure(errno.ENOTTY)

    def _rdwr(self, argument: MemoryBlock) -> int:
        head = argument.follow(0, RDWR.size)
        pointer: int
        count: int
        pointer, count = RDWR.unpack(head.data)
        if not pointer or not 0 < count <= MAX_MESSAGES:
            raise failure(errno.EINVAL)
        array = head.follow(0, count * MESSAGE.size)
        headers = [_message_header(array.data, number * MESSAGE.size) for number in range(count)]
        buffers = [
            array.follow((number + 1) * MESSAGE.size - POINTER.size, length, writable=reading) if length else None
            for number, (_, length, reading) in enumerate(headers)
        ]
        contents = [buffer.data if buffer else b"" for buffer in buffers]
        messages = [
            Message(address, length=length) if reading else Message(address, content)
            for (address, length, reading), content in zip(headers, contents, strict=True)
        ]
        for buffer, answer in zip(buffers, self._bus.transfer(messages), strict=True):
            if buffer and answer:
                buffer.store(answer)
        return count

    def _smbus(self, argument: MemoryBlock) -> int:
        head = argument.follow(0, SMBUS.size)
        direction, command, kind, pointer = SMBUS.unpack(head.data)
        reading = direction == SMBUS_READ
        if direction > SMBUS_READ or kind > I2C_BLOCK_DATA:
            raise failure(errno.EINVAL)
        dataless = kind == QUICK or (kind == BYTE and not reading)
        if not dataless and not pointer:
            raise failure(errno.EINVAL)
        place = SMBUS.size - POINTER.size
        union = None if dataless else head.follow(place, _UNION_BYTES.get(kind, BLOCK_MAX + 2), writable=True)
        data = union.data if union else b""
        answer = smbus_transfer(self._bus, self._address, reading=reading, command=command, kind=kind, data=data)
        if union and answer:
            union.store(answer)
        return 0


def _message_header(array: bytes, offset: int) -> tuple[int, int, bool]:
    """Address, length and whether it is a read, of a ``struct i2c_msg``."""
    address, flags, length, _ = MESSAGE.unpack_from(array, offset)
    if length > MAX_LENGTH:
        raise failure(errno.EINVAL)
    if flags & ~I2C_M_RD or address > 0x7F:
        raise failure(errno.EOPNOTSUPP)
    return address, length, bool(flags & I2C_M_RD)
