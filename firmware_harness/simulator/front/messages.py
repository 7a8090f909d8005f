"""Raw I2C messages on a bus that knows registers: what every front end does with what a program sends.

The chips simulated here take the first byte of a write for a register number. It is kept for each address, as the chip
does, and a read without a write before it begins there; going on to the next register within a transfer is the chip's
affair.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

from deseptr.device import BusError
from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a transfer, from a start condition to the next.

    Args:
        address: 7-bit address.
        data: the bytes of a write.
        length: how many bytes a read wants; None for a write.
    """

    address: int
    data: bytes = b""
    length: int | None = None

    @property
    def reading(self) -> bool:
        """Whether the chip gives the data."""
        return self.length is not None

    @property
    def size(self) -> int:
        """Bytes of data, either way."""
        return len(self.data) if self.length is None else self.length


class MessageBus:
    """Transfers of messages on a bus of registers, as its controller takes them.

    Args:
        bus: the bus; its profile is the controller.
    """

    def __init__(self, bus: VirtualI2cBus) -> None:
        self.profile = bus.profile
        self._bus = bus
        self._pointers: dict[int, int] = {}

    def transfer(self, messages: Sequence[Message]) -> list[bytes]:
        """Carry out ``messages`` and return the data of each; empty for a write.

        What came before a message that fails has been done, as on a real bus.

        Raises:
            OSError: with the errno that the controller's driver gives.
        """
        if self.profile.reads_last and any(message.reading for message in messages[:-1]):
            raise failure(errno.EOPNOTSUPP)
        return [self._carry_out(message, after) for message, after in zip(messages, [*messages[1:], None], strict=True)]

    def _carry_out(self, message: Message, after: Message | None) -> bytes:
        register = self._pointers.get(message.address, 0)
        try:
            if message.length:
                return self._bus.read(message.address, register, message.length)
            if message.data:
                register = message.data[0]
            # The read after it selects the register by itself: once on the wires, not twice.
            selects = len(message.data) == 1 and after is not None and bool(after.length)
            if not (selects and after and after.address == message.address):
                self._bus.write(message.address, register, message.data[1:])
            self._pointers[message.address] = register
        except BusError as error:
            raise failure(error.errno or errno.EIO) from error
        return b""


def failure(number: int) -> OSError:
    """The ``OSError`` of an errno."""
    return OSError(number, os.strerror(number))
