import errno
import pickle

import pytest

from deseptr.contract import SetupError
from deseptr.device import BusError, LinuxI2cBus, bus_error, bus_errors, bus_exists

smbus2 = pytest.importorskip("smbus2")

WIRING = "check the wiring, the power and the address (`i2cdetect -y BUS` lists the addresses that answer)"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EREMOTEIO, f"found no answer (EREMOTEIO), expected an acknowledge; {WIRING}"),
        (errno.ENXIO, f"found no answer (ENXIO), expected an acknowledge; {WIRING}"),
        (
            errno.ETIMEDOUT,
            "found a stuck bus (ETIMEDOUT), expected SDA and SCL released; "
            "power the sensor off and on, and check the pull-ups",
        ),
        (
            errno.EIO,
            "found a broken transfer (EIO), expected a complete one; "
            "shorten the wires or lower the bus clock (dtparam=i2c_arm_baudrate in config.txt)",
        ),
        (errno.EBUSY, f"found busy (EBUSY), expected a completed transfer; {WIRING}"),
    ],
)
def test_errno_becomes_its_meaning(number, message):
    error = bus_error("/dev/i2c-1", 0x68, OSError(number, "busy"))
    assert str(error) == f"/dev/i2c-1 address 0x68: {message}"
    assert error.errno == number


def test_error_without_errno():
    assert "found an unknown failure (errno 0)" in str(bus_error("/dev/i2c-1", 0x68, OSError()))


def test_bus_error_survives_pickling():
    error = bus_error("/dev/i2c-1", 0x68, OSError(errno.EIO, "broken"))
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.errno) == (BusError, str(error), errno.EIO)


def test_only_os_errors_are_mapped():
    with pytest.raises(ValueError, match="other"), bus_errors("/dev/i2c-1", 0x68):
        raise ValueError("other")


def test_missing_bus_for_real():
    assert not bus_exists(4095)
    with pytest.raises(BusError) as caught:
        LinuxI2cBus(4095)
    assert str(caught.value) == (
        "/dev/i2c-4095: found no such bus (ENOENT), expected an I2C bus; enable I2C (`sudo raspi-config nonint "
        "do_i2c 0`, or dtparam=i2c_arm=on in config.txt) or name another --bus"
    )


def test_forbidden_bus(monkeypatch):
    def refuse(self, path):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(smbus2.SMBus, "open", refuse)
    with pytest.raises(BusError, match=r"/dev/i2c-1: found no permission \(EACCES\).*usermod -aG i2c"):
        LinuxI2cBus(1)


@pytest.fixture
def transfers(monkeypatch):
    """What smbus2 is asked to transfer; reads are answered with 1, 2, 3, …"""
    seen = []

    def rdwr(self, *messages):
        for message in messages:
            if message.flags & 1:
                for index in range(message.len):
                    message.buf[index] = bytes((index % 256 + 1 & 0xFF,))
        seen.append([(m.addr, m.flags & 1, m.len if m.flags & 1 else bytes(m)) for m in messages])

    monkeypatch.setattr(smbus2.SMBus, "open", lambda self, path: None)
    monkeypatch.setattr(smbus2.SMBus, "i2c_rdwr", rdwr)
    return seen


def test_read_is_one_transfer_with_the_read_last(transfers):
    assert LinuxI2cBus(1).read(0x68, 0x74, 300)[:3] == b"\x01\x02\x03"
    assert transfers == [[(0x68, 0, b"\x74"), (0x68, 1, 300)]]


def test_write_is_register_and_data(transfers):
    LinuxI2cBus(1).write(0x68, 0x6B, b"\x01\x00")
    assert transfers == [[(0x68, 0, b"\x6b\x01\x00")]]


@pytest.mark.parametrize("number", [errno.EREMOTEIO, errno.ETIMEDOUT])
def test_failed_transfer(transfers, monkeypatch, number):
    def fail(self, *messages):
        raise OSError(number, "failed")

    monkeypatch.setattr(smbus2.SMBus, "i2c_rdwr", fail)
    bus = LinuxI2cBus(1)
    with pytest.raises(BusError) as read:
        bus.read(0x69, 0x75, 1)
    with pytest.raises(BusError) as write:
        bus.write(0x69, 0x6B, b"\x80")
    assert read.value.errno == write.value.errno == number
    assert read.value.thing == "/dev/i2c-1 address 0x69"


@pytest.mark.parametrize("length", [0, 5, 7, 8192])
def test_an_answer_of_another_length_is_a_broken_transfer(transfers, monkeypatch, length):
    """The kernel writes the length into the message: bytes beyond its buffer are other memory of this process."""

    def answer(self, *messages):
        messages[-1].len = length

    monkeypatch.setattr(smbus2.SMBus, "i2c_rdwr", answer)
    with pytest.raises(BusError, match="found a broken transfer"):
        LinuxI2cBus(1).read(0x68, 0x3B, 6)


def test_without_smbus2(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "smbus2", None)
    with pytest.raises(SetupError, match="smbus2: found no such package"):
        LinuxI2cBus(1)
