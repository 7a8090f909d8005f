"""Unmodified programs on a device node that is none: skipped where umockdev or i2c-tools are not installed."""

import errno
import shutil
import subprocess
import sys

import pytest

from deseptr.contract import SetupError
from deseptr.device import SystemClock
from deseptr.firmware_harness.simulator import (
    I2C_TINY_USB,
    BusFault,
    ConstantSource,
    SimulatedMpu6050,
    VirtualClock,
    VirtualI2cBus,
)
from deseptr.firmware_harness.simulator.front import (
    IoctlBus,
    ioctl as ioctl_module,
    missing_umockdev,
    run_with_ioctl_bus,
)

needs_umockdev = pytest.mark.skipif(bool(missing_umockdev()), reason=f"umockdev: {missing_umockdev()}")
needs_tools = pytest.mark.skipif(shutil.which("i2cget") is None, reason="i2c-tools: no i2cget")


@pytest.fixture
def front(make_bus):
    return IoctlBus(make_bus())


def python(code):
    return [sys.executable, "-c", f"import errno, os, smbus2\nbus = smbus2.SMBus(1)\n{code}"]


@needs_umockdev
@needs_tools
def test_i2cdetect_finds_the_chips(front):
    done = front.run(["i2cdetect", "-y", "1"], timeout=60)
    cells = [cell for line in done.stdout.splitlines()[1:] for cell in line.split()[1:]]
    assert done.returncode == 0
    assert [cell for cell in cells if cell != "--"] == ["1d", "68"]
    assert "simulated bcm2835" in front.run(["i2cdetect", "-l"], timeout=60).stdout


@needs_umockdev
@needs_tools
def test_i2cget_and_i2cset(front, chip):
    assert front.run(["i2cget", "-y", "1", "0x68", "0x75"], timeout=60).stdout == "0x75\n"
    assert front.run(["i2cset", "-y", "1", "0x68", "0x10", "0xab"], timeout=60).returncode == 0
    assert chip.cells[0x10] == 0xAB
    assert front.run(["i2cget", "-y", "1", "0x69", "0x75"], timeout=60).returncode == 2
    done = front.run(["i2ctransfer", "-y", "1", "w1@0x68", "0x20", "r3"], timeout=60)
    assert done.stdout == "0x20 0x21 0x22\n"


@needs_umockdev
def test_every_function_of_smbus2_works(front, chip):
    code = """
bus.write_byte_data(0x68, 0x10, 0xAA)
bus.write_word_data(0x68, 0x20, 0x0201)
bus.write_i2c_block_data(0x68, 0x30, [7, 8, 9])
bus.write_byte(0x68, 0x10)
bus.write_quick(0x68)
print(bus.read_byte(0x68), bus.read_byte_data(0x68, 0x75), bus.read_word_data(0x68, 0x20))
print(bus.read_i2c_block_data(0x68, 0x2F, 5))
select, answer = smbus2.i2c_msg.write(0x68, [0x40]), smbus2.i2c_msg.read(0x68, 700)
bus.i2c_rdwr(select, answer)
print(len(list(answer)), list(answer)[:192] == list(range(64, 256)))
file = os.open("/dev/i2c-1", os.O_RDWR)
bus._set_address(0x1D)
import fcntl
fcntl.ioctl(file, 0x703, 0x68)
print(os.write(file, b"\\x50\\x05"), os.read(file, 2), bus.read_byte(0x1D))
"""
    done = front.run(python(code), timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["170 117 513", "[47, 7, 8, 9, 51]", "700 True", "2 b'\\x05Q' 0"]
    assert chip.cells[0x30:0x33] == b"\x07\x08\x09"


@needs_umockdev
@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.EIO])
def test_errors_reach_the_program(make_bus, number):
    front = IoctlBus(make_bus(I2C_TINY_USB, [BusFault(number, register=0x10)]))
    code = """
for address, register in ((0x68, 0x10), (0x68, 0x10), (0x69, 0x10)):
    try:
        print(bus.read_byte_data(address, register))
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    done = front.run(python(code), timeout=60)
    assert done.stdout.split() == [errno.errorcode[number], "16", "ENXIO"]


@needs_umockdev
def test_exit_status_is_the_commands(front):
    done = front.run([sys.executable, "-c", "import sys; print('out'); sys.exit('err')"], timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "out\n", "err\n")
    killed = front.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"], timeout=60)
    assert killed.returncode == 128 + 15


@needs_umockdev
def test_another_number_is_another_device(make_bus):
    code = "import os; print([os.path.exists(f'/dev/i2c-{n}') for n in (1, 7)])"
    assert IoctlBus(make_bus(), 7).run([sys.executable, "-c", code], timeout=60).stdout == "[False, True]\n"


@needs_umockdev
@pytest.mark.parametrize("stubborn", [False, True])
def test_a_hanging_command_is_ended(front, monkeypatch, stubborn):
    monkeypatch.setattr(ioctl_module, "GRACE_S", 0.5)
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else "pass"
    with pytest.raises(subprocess.TimeoutExpired):
        front.run([sys.executable, "-c", f"import signal, time; {ignore}; time.sleep(100)"], timeout=1)
    assert front.run([sys.executable, "-c", "print(1)"], timeout=60).stdout == "1\n"


@needs_umockdev
def test_an_exception_of_a_simulated_chip_is_raised_here():
    class Broken:
        def read(self, register, length):
            raise ZeroDivisionError(f"of {register}")

    bus = VirtualI2cBus({0x68: Broken()}, VirtualClock())
    with pytest.raises(ZeroDivisionError, match="of 117"):
        IoctlBus(bus).run(python("bus.read_byte_data(0x68, 0x75)"), timeout=60)


@needs_umockdev
def test_devices_go_straight_onto_a_bus():
    clock = SystemClock()
    chip = SimulatedMpu6050(ConstantSource([0] * 6), clock)
    done = run_with_ioctl_bus({0x69: chip}, python("print(bus.read_byte_data(0x69, 0x75))"), clock=clock)
    assert done.stdout == "104\n"


@needs_umockdev
def test_no_such_command(front):
    with pytest.raises(SetupError, match="no-such-command: found no such program"):
        front.run(["no-such-command"])


def test_without_umockdev_it_says_what_to_install(front, monkeypatch):
    monkeypatch.setattr(ioctl_module, "WRAPPER", "no-such-wrapper")
    missing_umockdev.cache_clear()
    try:
        with pytest.raises(SetupError, match=r"umockdev: found no no-such-wrapper.*apt-get install umockdev gir1.2-"):
            front.run(["true"])
    finally:
        missing_umockdev.cache_clear()
