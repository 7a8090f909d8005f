import pytest

from deseptr.contract import SensorError
from deseptr.device.drivers.registers import Bits, Register, bit, bits


class RegisterMemory:
    """256 bytes as a bus; ``frozen`` registers ignore writes."""

    path = "memory"

    def __init__(self, frozen=()):
        self.content = bytearray(256)
        self.frozen = frozen
        self.log = []

    def write(self, address, register, data):
        self.log.append(("write", address, register, data))
        if register not in self.frozen:
            self.content[register : register + len(data)] = data

    def read(self, address, register, length):
        self.log.append(("read", address, register, length))
        return bytes(self.content[register : register + length])


class RegisterChip:
    name = "chip"
    address = 0x42
    control = Register(0x10, ENABLE=bit(7), MODE=bits(3, 2))
    divider = Register(0x11)
    elsewhere = Register(0x10, bank=2)

    def __init__(self, bus):
        self.bus = bus

    def select_bank(self, bank):
        if bank:
            self.bus.log.append(("bank", bank))


def test_fields_take_their_place():
    assert Bits(4, 3).encode(2) == 0b10000
    assert Bits(4, 3).decode(0b11110111) == 0b10
    assert RegisterChip.control.encode(ENABLE=1, MODE=3) == 0b10001100
    assert RegisterChip.control.decode(0b10000100) == {"ENABLE": 1, "MODE": 1}


@pytest.mark.parametrize("value", [-1, 4])
def test_value_that_does_not_fit(value):
    with pytest.raises(ValueError, match=f"{value} does not fit into bits 3:2"):
        RegisterChip.control.encode(MODE=value)


def test_one_call_is_one_transfer():
    chip = RegisterChip(RegisterMemory())
    chip.control.write(MODE=2)
    chip.divider.write(value=0xAB)
    assert chip.control.read() == {"ENABLE": 0, "MODE": 2}
    assert chip.control.read_block(2) == b"\x08\xab"
    assert chip.bus.log == [
        ("write", 0x42, 0x10, b"\x08"),
        ("write", 0x42, 0x11, b"\xab"),
        ("read", 0x42, 0x10, 1),
        ("read", 0x42, 0x10, 2),
    ]


def test_readback_that_differs_names_register_and_values():
    chip = RegisterChip(RegisterMemory(frozen=(0x10,)))
    chip.divider.write_checked(value=3)
    with pytest.raises(SensorError) as caught:
        chip.control.write_checked(ENABLE=1)
    assert str(caught.value) == (
        "chip on memory: found CONTROL = 0x00 after writing it, expected 0x80; "
        "check power and wiring; a chip that goes on refusing is a clone or broken"
    )


def test_bank_is_selected_before_the_transfer():
    chip = RegisterChip(RegisterMemory())
    chip.elsewhere.write_checked(value=1)
    assert chip.bus.log == [
        ("bank", 2),
        ("write", 0x42, 0x10, b"\x01"),
        ("bank", 2),
        ("read", 0x42, 0x10, 1),
    ]
