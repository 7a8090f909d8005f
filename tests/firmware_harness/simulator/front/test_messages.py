import errno

import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.simulator import BCM2835, I2C_TINY_USB, RP1, BusFault, VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.front import Message, MessageBus

from .conftest import Memory


def test_write_then_read_is_one_read_of_the_bus(bus, chip):
    assert bus.transfer([Message(0x68, b"\x75"), Message(0x68, length=2)]) == [b"", b"\x75\x76"]
    assert chip.seen == [("read", 0x75, 2)]


def test_longer_write_puts_data_from_its_register_on(bus, chip):
    assert bus.transfer([Message(0x68, b"\x10\xaa\xbb")]) == [b""]
    assert chip.cells[0x0F:0x13] == b"\x0f\xaa\xbb\x12"


def test_bare_read_begins_where_the_last_write_pointed_at_each_address(bus):
    bus.transfer([Message(0x68, b"\x20")])
    bus.transfer([Message(0x1D, b"\x30\x01")])
    assert bus.transfer([Message(0x68, length=1)]) == [b"\x20"]
    assert bus.transfer([Message(0x1D, length=2)]) == [b"\x01\x31"]


def test_bare_read_begins_at_register_0_after_power_up(bus):
    assert bus.transfer([Message(0x68, length=3)]) == [b"\x00\x01\x02"]


def test_a_select_for_another_address_is_sent_by_itself(bus, chip):
    assert bus.transfer([Message(0x68, b"\x20"), Message(0x1D, length=1)]) == [b"", b"\0"]
    assert chip.seen == [("write", 0x20, b"")]
    assert bus.transfer([Message(0x68, length=1)]) == [b"\x20"]


def test_empty_messages_only_probe_the_address(bus, chip, failing):
    assert bus.transfer([Message(0x68)]) == bus.transfer([Message(0x68, length=0)]) == [b""]
    assert chip.cells == bytes(range(256))
    for message in (Message(0x69), Message(0x69, length=0)):
        assert failing(bus.transfer, [message]) == errno.EREMOTEIO


@pytest.mark.parametrize(
    ("profile", "number"), [(BCM2835, errno.EREMOTEIO), (RP1, errno.EREMOTEIO), (I2C_TINY_USB, errno.ENXIO)]
)
def test_a_missing_device_gives_the_controllers_own_error(make_bus, failing, profile, number):
    assert failing(MessageBus(make_bus(profile)).transfer, [Message(0x69, b"\0"), Message(0x69, length=1)]) == number


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.EIO, errno.EAGAIN])
def test_faults_of_the_bus_keep_their_errno(make_bus, failing, number):
    assert failing(MessageBus(make_bus(faults=[BusFault(number)])).transfer, [Message(0x68, b"\0\1")]) == number


def test_bcm2835_reads_once_and_last(make_bus, chip, failing):
    messages = [Message(0x68, length=1), Message(0x68, b"\x10"), Message(0x68, length=1)]
    assert failing(MessageBus(make_bus(BCM2835)).transfer, messages) == errno.EOPNOTSUPP
    assert chip.seen == []
    assert MessageBus(make_bus(RP1)).transfer(messages) == [b"\0", b"", b"\x10"]


def test_messages_before_a_failing_one_are_carried_out(bus, chip, failing):
    assert failing(bus.transfer, [Message(0x68, b"\x05\xff"), Message(0x69, b"\x05\xff")])
    assert chip.cells[5] == 0xFF


MESSAGES = st.one_of(
    st.builds(Message, st.just(0x68), st.binary(max_size=4)),
    st.builds(Message, st.just(0x68), st.just(b""), st.integers(0, 5)),
)


@given(st.lists(st.lists(MESSAGES, min_size=1, max_size=4), max_size=6))
def test_any_transfers_do_what_a_chip_with_a_pointer_does(transfers):
    chip, model = Memory(), Memory()
    bus = MessageBus(VirtualI2cBus({0x68: chip}, VirtualClock(), RP1))
    pointer = 0
    for messages in transfers:
        expected = []
        for message in messages:
            if message.data:
                pointer = message.data[0]
                model.write(pointer, message.data[1:])
            expected.append(model.read(pointer, message.length or 0))
        assert bus.transfer(messages) == expected
    assert chip.cells == model.cells
