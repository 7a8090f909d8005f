import time

import numpy as np
import pytest

from deseptr.firmware_harness.emulator import kernel_guest
from deseptr.firmware_harness.simulator import I2C_TINY_USB


@pytest.fixture
def devices(tmp_path):
    """As st_lsm6dsx makes them: one device for each half of the chip."""
    for number, (kind, scale) in enumerate((("accel", 0.5), ("anglvel", 0.25))):
        device = tmp_path / f"iio:device{number}"
        device.mkdir()
        (device / f"in_{kind}_scale").write_text(f"{scale}\n")
        for axis, raw in zip("xyz", (10, -20, 30), strict=True):
            (device / f"in_{kind}_{axis}_raw").write_text(f"{raw}\n")
    return set(tmp_path.iterdir())


def test_channels_are_raw_values_times_their_scale(devices):
    assert list(kernel_guest.read_channels(devices)) == [5.0, -10.0, 15.0, 2.5, -5.0, 7.5]


def test_a_gyroscope_settles_within_the_kernels_shortest_wait():
    # 12.5 Hz is what st_lsm6dsx begins with, and a period the least that it waits after waking a sensor.
    clock = kernel_guest.FastClock()
    bus = kernel_guest.make_bus("lsm6dsox", [1.0, -2.0, 9.0, 0.5, -1.0, 0.25], clock, I2C_TINY_USB)
    clock.sleep_ns(15_000_000)
    bus.write(0x6A, 0x13, b"\x08")
    bus.write(0x6A, 0x11, b"\x10")
    time.sleep(0.08)
    counts = np.frombuffer(bus.read(0x6A, 0x22, 6), "<i2")
    assert counts * np.deg2rad(8.75e-3) == pytest.approx([0.5, -1.0, 0.25], abs=1e-4)


def test_adapters_are_recognised_by_their_name(tmp_path):
    for number, name in ((0, "bcm2835 (i2c@7e804000)"), (7, "i2c-tiny-usb at bus 001 device 002")):
        (tmp_path / f"i2c-{number}").mkdir()
        (tmp_path / f"i2c-{number}" / "name").write_text(name)
    (tmp_path / "i2c-9").mkdir()
    assert kernel_guest.adapters(tmp_path) == {7}


def test_waiting_returns_the_value_or_times_out():
    answers = iter([0, 0, 3])
    assert kernel_guest.wait_for(lambda: next(answers), "three") == 3
    with pytest.raises(TimeoutError, match="never"):
        kernel_guest.wait_for(lambda: 0, "never", patience_s=0.0)


def test_modules_are_loaded_in_the_order_of_their_names(tmp_path):
    class Libc:
        loaded: list[str] = []  # noqa: RUF012 - one test, one list

        def syscall(self, number, descriptor, options, flags):
            with open(f"/proc/self/fd/{descriptor}") as stream:  # noqa: PTH123 - a descriptor
                self.loaded.append(stream.read())
            return -1 if self.loaded[-1] == "bad" else 0

    for name in ("001-b.ko", "000-a.ko"):
        (tmp_path / name).write_text(name)
    kernel_guest.load_modules(Libc(), tmp_path)
    assert Libc.loaded == ["000-a.ko", "001-b.ko"]
    (tmp_path / "002-c.ko").write_text("bad")
    with pytest.raises(OSError, match=r"002-c\.ko: not loaded"):
        kernel_guest.load_modules(Libc(), tmp_path)
