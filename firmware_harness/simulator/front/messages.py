"""Raw I2C messages on a bus of registers, as every front end gets them from a program.

The simulated chips take the first byte of a write as the register number. It is kept for each address, as in the chip,
and a read without a write before it begins there; the chip itself increments the register within a transfer.
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
        length: number of bytes to read; None for a write.
    """

    address: int
    data: bytes = b""
    length: int | None = None

    @property
    def reading(self) -> bool:
        """Whether it is a read."""
        return self.length is not None

    @property
    def size(self) -> int:
        """Number of data bytes, in either direction."""
        return len(self.data) if self.length is None else self.length


class MessageBus:
    """Transfers of messages on a bus of registers, within the limits of its controller.

    Args:
        bus: the bus; its profile is the controller.
    """

    def __init__(self, bus: VirtualI2cBus) -> None:
        self.profile = bus.profile
        self._bus = bus
        self._pointers: dict[int, int] = {}

    def transfer(self, messages: Sequence[Message]) -> list[bytes]:
        """Carry out ``messages`` and return the data of each; empty for a write.

        Messages before one that fails have been carried out, as on a real bus.

        Raises:
            OSError: with the errno of the controller's driver.
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
            # The following read selects the register itself: once on the wires, not twice.
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
