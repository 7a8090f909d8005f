"""Process 1 of an emulated machine that tests the front ends: the kernel's CUSE, USB/IP and sensor drivers.

Unlike :mod:`.guest` it can import this package. It loads the kernel's modules, puts simulated chips behind a character
device and behind a USB adapter, reads them with the drivers of :mod:`deseptr.device`, then binds the kernel's own
driver to them and reads its values. :mod:`.kernel_check` compares the readings.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .guest import reporter, run_and_power_off

if TYPE_CHECKING:
    from deseptr.device import Clock
    from deseptr.firmware_harness.simulator.bus_profiles import BusProfile
    from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

MARK = "@kernel-check "
_FINIT_MODULE = 273  # arm64, include/uapi/asm-generic/unistd.h
PATIENCE_S = 60.0
I2C_DEVICES, _IIO = Path("/sys/bus/i2c/devices"), Path("/sys/bus/iio/devices")
_SPEED = 10
_CHANNELS = [f"in_{kind}_{axis}" for kind in ("accel", "anglvel") for axis in "xyz"]


report = reporter(MARK)


def load_modules(libc: Any, folder: Path) -> None:
    """Load the kernel's modules in the order of their names."""
    for path in sorted(folder.iterdir()):
        with path.open("rb") as module:
            if libc.syscall(_FINIT_MODULE, module.fileno(), b"", 0) != 0:
                raise OSError(f"{path.name}: not loaded")


def wait_for(found: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The result of ``found``, called until it is true.

    Raises:
        TimeoutError: naming ``what``, after ``patience_s`` seconds.
    """
    deadline = time.monotonic() + patience_s
    while not (result := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
    return result


def adapters(devices: Path = I2C_DEVICES) -> set[int]:
    """Numbers of the adapters of i2c-tiny-usb."""
    named = {path: (path / "name").read_text() for path in devices.glob("i2c-*") if (path / "name").exists()}
    return {int(path.name[4:]) for path, name in named.items() if name.startswith("i2c-tiny-usb")}


def make_bus(sensor: str, signals: list[float], clock: Clock, profile: BusProfile) -> VirtualI2cBus:
    """A bus with one chip at its usual address."""
    from deseptr.device import SENSORS
    from deseptr.firmware_harness.simulator.chips.registry import make_chip
    from deseptr.firmware_harness.simulator.sources.source import ConstantSource
    from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

    chip = make_chip(sensor, ConstantSource(signals), clock)
    return VirtualI2cBus({SENSORS[sensor].addresses[0]: chip}, clock, profile)


def serve(function: Callable[..., None], *arguments: Any) -> None:
    """Serve a front end in the background until the machine powers off."""
    threading.Thread(target=function, args=arguments, daemon=True).start()


def plug_in(bus: VirtualI2cBus) -> int:
    """Plug in an adapter; returns the number that the kernel gives it."""
    from deseptr.firmware_harness.simulator.front.usbip import serve_usbip

    before = adapters()
    serve(serve_usbip, bus)
    new: set[int] = wait_for(lambda: adapters() - before, "no i2c-tiny-usb adapter")
    return min(new)


def read_by_driver(sensor: str, number: int, clock: Clock) -> dict[str, Any]:
    """Readings of this package's driver, and the errno of a read from a missing device."""
    from deseptr.device import BusError, LinuxI2cBus
    from deseptr.firmware_harness.simulator.front.driver import read_samples

    wait_for(Path(f"/dev/i2c-{number}").exists, f"no /dev/i2c-{number}")
    bus = LinuxI2cBus(number)
    driven = read_samples(bus, clock, sensor, 100)
    try:
        bus.read(0x50, 0, 1)
        absent = 0
    except BusError as error:
        absent = error.errno
    bus.close()
    signals = driven.signals
    return {"samples": len(signals), "gaps": len(driven.gaps), "si": signals.mean(0).tolist(), "absent": absent}


def read_by_kernel(sensor: str, name: str, number: int) -> list[float]:
    """Readings of the kernel's own driver for ``name``, in SI units."""
    from deseptr.device import SENSORS

    known = set(_IIO.glob("iio:device*"))
    address = SENSORS[sensor].addresses[0]
    (I2C_DEVICES / f"i2c-{number}" / "new_device").write_text(f"{name} {address:#x}")
    found = wait_for(lambda: set(_IIO.glob("iio:device*")) - known, f"no driver of the kernel's for {name}")
    return list(read_channels(found))


def read_channels(devices: set[Path]) -> Iterator[float]:
    """Raw values times their scale, acceleration first."""
    for channel in _CHANNELS:
        raw = next(device / f"{channel}_raw" for device in devices if (device / f"{channel}_raw").exists())
        scale = raw.parent / f"{channel[:-2]}_scale"
        yield float(raw.read_text()) * float(scale.read_text())


class FastClock:
    """The machine's time, several times as fast, so that a chip with this clock wakes up faster than in its data sheet.

    The kernel's driver wakes an LSM6DS for every reading and waits one or two periods, which is less than the time that
    a gyroscope needs to turn on and settle according to the data sheet.
    """

    def now_ns(self) -> int:
        """Time since the clock's zero, in nanoseconds."""
        return time.monotonic_ns() * _SPEED

    def sleep_ns(self, duration_ns: int) -> None:
        """Return once ``duration_ns`` have passed."""
        time.sleep(max(0, duration_ns) / _SPEED / 1e9)


def work(job: dict[str, Any]) -> None:
    """Read all chips in all ways, and report the readings."""
    from deseptr.firmware_harness.simulator.bus_profiles import BCM2835, I2C_TINY_USB
    from deseptr.firmware_harness.simulator.clock import VirtualClock
    from deseptr.firmware_harness.simulator.front.cuse import CUSE_BUS, serve_cuse

    report(linux=os.uname().release)
    signals = job["signals"]
    # Virtual time, so that the slow emulation does not matter: chip, bus and driver share one clock.
    clock = VirtualClock()
    serve(serve_cuse, make_bus("mpu6050", signals, clock, BCM2835))
    report(front="cuse", sensor="mpu6050", **read_by_driver("mpu6050", CUSE_BUS, clock))
    for sensor, name in job["sensors"].items():
        clock = VirtualClock()
        number = plug_in(make_bus(sensor, signals, clock, I2C_TINY_USB))
        report(front="usbip", sensor=sensor, **read_by_driver(sensor, number, clock))
        # The kernel's driver waits in the machine's own time, and for too short.
        number = plug_in(make_bus(sensor, signals, FastClock(), I2C_TINY_USB))
        report(front="kernel", sensor=sensor, si=read_by_kernel(sensor, name, number))
    report(done=True)


def work_on_job(libc: Any) -> None:
    """Load the kernel's modules and work on ``/job/job.json``."""
    load_modules(libc, Path("/kernel-modules"))
    work(json.loads(Path("/job/job.json").read_text()))


def main() -> None:
    """Be process 1."""
    run_and_power_off(work_on_job, report)
