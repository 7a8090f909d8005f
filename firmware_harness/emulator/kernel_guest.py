#!/usr/bin/python3 -uB
"""Process 1 of an emulated machine that tries the front ends for real: the kernel's CUSE, USB/IP and sensor drivers.

Unlike :mod:`.guest` it has this package beside it. It loads the kernel's modules, puts simulated chips behind a
character device and behind a USB adapter, reads them with the drivers of :mod:`deseptr.device`, then lets the kernel's
own driver bind to them and reads what that says. :mod:`.kernel_check` judges.
"""

from __future__ import annotations

import json
import os
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deseptr.device import Clock
    from deseptr.firmware_harness.simulator.bus_profiles import BusProfile
    from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

MARK = "@kernel-check "
_POWER_OFF = 0x4321FEDC
_FINIT_MODULE = 273  # arm64, include/uapi/asm-generic/unistd.h
_PATIENCE_S = 60.0
_I2C, _IIO = Path("/sys/bus/i2c/devices"), Path("/sys/bus/iio/devices")
_HASTE = 10
_CHANNELS = [f"in_{kind}_{axis}" for kind in ("accel", "anglvel") for axis in "xyz"]


def say(**facts: Any) -> None:
    """One line for the host."""
    print(MARK + json.dumps(facts), flush=True)


def load_modules(libc: Any, folder: Path) -> None:
    """Load the kernel's modules in the order of their names."""
    for path in sorted(folder.iterdir()):
        with path.open("rb") as module:
            if libc.syscall(_FINIT_MODULE, module.fileno(), b"", 0) != 0:
                raise OSError(f"{path.name}: not loaded")


def wait_for(found: Callable[[], Any], what: str) -> Any:
    """What ``found`` gives once it gives something."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (result := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
    return result


def adapters() -> set[int]:
    """Numbers of the adapters that i2c-tiny-usb has made."""
    named = {path: (path / "name").read_text() for path in _I2C.glob("i2c-*") if (path / "name").exists()}
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
    """Have a front end served in the background until the machine ends."""
    threading.Thread(target=function, args=arguments, daemon=True).start()


def plug_in(bus: VirtualI2cBus) -> int:
    """Plug an adapter in; returns the number that the kernel gives it."""
    from deseptr.firmware_harness.simulator.front.usbip import serve_usbip

    before = adapters()
    serve(serve_usbip, bus)
    new: set[int] = wait_for(lambda: adapters() - before, "no i2c-tiny-usb adapter")
    return min(new)


def read_by_driver(sensor: str, number: int, clock: Clock) -> dict[str, Any]:
    """What our driver reads, and the errno where nobody answers."""
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
    """What the kernel's own driver for ``name`` reads, in SI units."""
    from deseptr.device import SENSORS

    known = set(_IIO.glob("iio:device*"))
    address = SENSORS[sensor].addresses[0]
    (_I2C / f"i2c-{number}" / "new_device").write_text(f"{name} {address:#x}")
    found = wait_for(lambda: set(_IIO.glob("iio:device*")) - known, f"no driver of the kernel's for {name}")
    return list(read_channels(found))


def read_channels(devices: set[Path]) -> Iterator[float]:
    """Raw values times their scale, acceleration first."""
    for channel in _CHANNELS:
        raw = next(device / f"{channel}_raw" for device in devices if (device / f"{channel}_raw").exists())
        scale = raw.parent / f"{channel[:-2]}_scale"
        yield float(raw.read_text()) * float(scale.read_text())


class HastyClock:
    """The machine's time, several times as fast: a chip that lives in it wakes up sooner than the data sheet allows.

    The kernel's driver wakes an LSM6DS for every reading and waits one or two periods, less than a gyroscope takes to
    turn on and settle by the data sheet.
    """

    def now_ns(self) -> int:
        """Time since the clock's zero, in nanoseconds."""
        return time.monotonic_ns() * _HASTE

    def sleep_ns(self, duration_ns: int) -> None:
        """Return once ``duration_ns`` have passed."""
        time.sleep(max(0, duration_ns) / _HASTE / 1e9)


def work(job: dict[str, Any]) -> None:
    """Try everything and say what came of it."""
    from deseptr.firmware_harness.simulator.bus_profiles import BCM2835, I2C_TINY_USB
    from deseptr.firmware_harness.simulator.clock import VirtualClock
    from deseptr.firmware_harness.simulator.front.cuse import CUSE_BUS, serve_cuse

    say(linux=os.uname().release)
    signals = job["signals"]
    # In virtual time, which emulation cannot outrun: chip, bus and driver share one clock.
    clock = VirtualClock()
    serve(serve_cuse, make_bus("mpu6050", signals, clock, BCM2835))
    say(front="cuse", sensor="mpu6050", **read_by_driver("mpu6050", CUSE_BUS, clock))
    for sensor, name in job["sensors"].items():
        clock = VirtualClock()
        number = plug_in(make_bus(sensor, signals, clock, I2C_TINY_USB))
        say(front="usbip", sensor=sensor, **read_by_driver(sensor, number, clock))
        # The kernel's driver waits in the machine's own time, for less than it should.
        number = plug_in(make_bus(sensor, signals, HastyClock(), I2C_TINY_USB))
        say(front="kernel", sensor=sensor, si=read_by_kernel(sensor, name, number))
    say(done=True)


def main() -> None:
    """Mount what is needed, load the modules, work, and power off whatever happens."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for kind, target in ((b"proc", b"/proc"), (b"sysfs", b"/sys"), (b"devtmpfs", b"/dev")):
        libc.mount(kind, target, kind, 0, None)
    try:
        load_modules(libc, Path("/kernel-modules"))
        work(json.loads(Path("/job/job.json").read_text()))
    except Exception as error:
        say(error=f"{type(error).__name__}: {error}")
    finally:
        termios.tcdrain(sys.stdout.fileno())
        libc.reboot(_POWER_OFF)


if __name__ == "__main__" and os.getpid() == 1:
    main()
