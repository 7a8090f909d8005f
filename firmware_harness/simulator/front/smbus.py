"""SMBus transactions as I2C messages, as in the kernel (``i2c_smbus_xfer_emulated`` in i2c-core-smbus.c).

Not supported (EOPNOTSUPP): blocks whose length the chip gives, and checksums.
"""

from __future__ import annotations

import errno

from .messages import Message, MessageBus, failure

# Kinds of an SMBus transaction (linux/i2c.h).
QUICK, BYTE, BYTE_DATA, WORD_DATA, PROC_CALL, BLOCK_DATA, I2C_BLOCK_BROKEN, BLOCK_PROC_CALL, I2C_BLOCK_DATA = range(9)
BLOCK_MAX = 32

_FIXED = {BYTE_DATA: 1, WORD_DATA: 2, PROC_CALL: 2}
_I2C_BLOCKS = (I2C_BLOCK_BROKEN, I2C_BLOCK_DATA)


def smbus_transfer(bus: MessageBus, address: int, *, reading: bool, command: int, kind: int, data: bytes) -> bytes:
    """Carry out a transaction.

    Args:
        bus: the bus.
        address: 7-bit address.
        reading: whether it is a read.
        command: the command byte, a register number.
        kind: kind of the transaction, such as :data:`BYTE_DATA`.
        data: ``union i2c_smbus_data`` as the host filled it: a byte, a word with its low byte first, or a length and a
            block.

    Returns:
        Data to store in that union; may be empty.

    Raises:
        OSError: EINVAL for a block that is too long, EOPNOTSUPP for unsupported kinds, and errors of the bus.
    """
    answer = bus.transfer(_messages(address, reading=reading, command=command, kind=kind, data=data))[-1]
    return bytes((len(answer),)) + answer if answer and kind in _I2C_BLOCKS else answer


def _messages(address: int, *, reading: bool, command: int, kind: int, data: bytes) -> list[Message]:
    if kind == QUICK:
        return [Message(address, length=0 if reading else None)]
    if kind == BYTE:
        return [Message(address, length=1) if reading else Message(address, bytes((command,)))]
    sent, wanted = _payload(reading=reading, kind=kind, data=data)
    write = Message(address, bytes((command,)) + sent)
    return [write] if wanted is None else [write, Message(address, length=wanted)]


def _payload(*, reading: bool, kind: int, data: bytes) -> tuple[bytes, int | None]:
    """Data that is sent after the command, and the number of bytes to read then; None for no read."""
    if kind in _FIXED:
        length = _FIXED[kind]
        sent = b"" if reading and kind != PROC_CALL else data[:length]
        return sent, length if reading or kind == PROC_CALL else None
    length = BLOCK_MAX if reading and kind == I2C_BLOCK_BROKEN else data[0]
    if length > BLOCK_MAX:
        raise failure(errno.EINVAL)
    if kind in _I2C_BLOCKS:
        return (b"", length) if reading else (data[1 : 1 + length], None)
    if kind == BLOCK_DATA and not reading:
        return data[: 1 + length], None
    raise failure(errno.EOPNOTSUPP)
