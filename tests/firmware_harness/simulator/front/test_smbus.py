import errno

import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.front import MessageBus
from deseptr.firmware_harness.simulator.front.smbus import (
    BLOCK_DATA,
    BLOCK_PROC_CALL,
    BYTE,
    BYTE_DATA,
    I2C_BLOCK_BROKEN,
    I2C_BLOCK_DATA,
    PROC_CALL,
    QUICK,
    WORD_DATA,
    smbus_transfer,
)

from .conftest import Memory


@pytest.fixture
def smbus(bus):
    def transfer(kind, *, reading, command=0, data=b"", address=0x68):
        return smbus_transfer(bus, address, reading=reading, command=command, kind=kind, data=data)

    return transfer


@pytest.mark.parametrize("reading", [True, False])
def test_quick_finds_the_devices(smbus, failing, reading):
    assert smbus(QUICK, reading=reading) == b""
    assert failing(smbus, QUICK, reading=reading, address=0x50) == errno.EREMOTEIO


def test_byte_points_and_reads(smbus):
    assert smbus(BYTE, reading=False, command=0x42) == b""
    assert smbus(BYTE, reading=True) == b"\x42"


def test_byte_and_word_data(smbus, chip):
    assert smbus(BYTE_DATA, reading=True, command=0x75, data=b"?") == b"\x75"
    smbus(BYTE_DATA, reading=False, command=0x10, data=b"\xaa\xff")
    assert smbus(WORD_DATA, reading=True, command=0x10, data=b"\0\0") == b"\xaa\x11"
    smbus(WORD_DATA, reading=False, command=0x20, data=b"\x01\x02\xff")
    assert chip.cells[0x20:0x23] == b"\x01\x02\x22"


def test_process_call_writes_a_word_and_reads_one(smbus):
    for reading in (True, False):
        assert smbus(PROC_CALL, reading=reading, command=0x30, data=b"\x07\x08") == b"\x07\x08"


def test_blocks_of_the_hosts_length(smbus, chip):
    assert smbus(I2C_BLOCK_DATA, reading=True, command=0x10, data=b"\x03") == b"\x03\x10\x11\x12"
    assert smbus(I2C_BLOCK_BROKEN, reading=True, command=0x10, data=b"\x03") == bytes((32, *range(0x10, 0x30)))
    smbus(I2C_BLOCK_DATA, reading=False, command=0x40, data=b"\x02\xaa\xbb\xcc")
    assert chip.cells[0x40:0x43] == b"\xaa\xbb\x42"
    smbus(BLOCK_DATA, reading=False, command=0x50, data=b"\x02\xaa\xbb\xcc")
    assert chip.cells[0x50:0x54] == b"\x02\xaa\xbb\x53"


@pytest.mark.parametrize(
    ("kind", "reading", "data", "number"),
    [
        (I2C_BLOCK_DATA, True, b"\x21", errno.EINVAL),
        (I2C_BLOCK_DATA, False, b"\x21", errno.EINVAL),
        (BLOCK_DATA, False, b"\x21", errno.EINVAL),
        (BLOCK_DATA, True, b"\x00", errno.EOPNOTSUPP),
        (BLOCK_PROC_CALL, False, b"\x01\x01", errno.EOPNOTSUPP),
    ],
)
def test_refused(smbus, chip, failing, kind, reading, data, number):
    assert failing(smbus, kind, reading=reading, data=data) == number
    assert chip.seen == []


@given(st.integers(0, 255), st.binary(min_size=1, max_size=32))
def test_a_block_comes_back_as_it_was_written(command, block):
    bus = MessageBus(VirtualI2cBus({0x68: Memory()}, VirtualClock()))
    data = bytes((len(block),)) + block
    for reading in (False, True):
        answer = smbus_transfer(bus, 0x68, reading=reading, command=command, kind=I2C_BLOCK_DATA, data=data)
    assert answer == data
