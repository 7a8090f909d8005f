"""Checks of the bus: device node, permission, other users, addresses, the chip's identity, and the clock.

Paths and settings after the Raspberry Pi documentation ("config.txt", "The device tree"): the firmware reads
``config.txt`` from the boot partition, mounted at ``/boot/firmware`` or, before Debian 12, at ``/boot``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from deseptr.contract.host_files import matching, text_of
from deseptr.device.drivers.fifo_imu import FifoImu
from deseptr.device.drivers.sensors import DRIVERS, SENSORS, FoundChip

from .bus_timing import FASTEST_HZ
from .finding import CheckResult, fail, ok, warn
from .subject import Subject

CONFIG_FILES = ("boot/firmware/config.txt", "boot/config.txt")
CLOCK_TOLERANCE = 0.15
SLOWEST_HZ = 1_000
# Share of the bus's time above which FIFO data leaves no room for a second sensor or a retry.
BUSY = 0.5
# With a larger standard error, 5/8 of the configured clock could not be distinguished from all of it.
UNSURE = 0.1
_DTPARAM = re.compile(r"^[ \t]*dtparam[ \t]*=.*?\bi2c(?:_arm|1)?=(\w+)", re.MULTILINE)


def check_bus(subject: Subject) -> CheckResult:
    """The device node, and if it is missing, the reason."""
    number = subject.bus_number
    if number is None:
        return ok("a simulated bus")
    root = subject.host.root
    name = f"/dev/i2c-{number}"
    if (root / f"dev/i2c-{number}").exists():
        return ok(name)
    others = [path.name for path in matching(root / "dev", "i2c-*")]
    file, enabled = i2c_enabled(root)
    if file is not None and enabled is not True:
        step = f"add dtparam=i2c_arm=on to {file} (`sudo raspi-config nonint do_i2c 0` does) and reboot"
        return fail(f"no {name}, and I2C is not enabled in {file}", "dtparam=i2c_arm=on", step)
    if not module_loaded(root):
        step = "`sudo modprobe i2c-dev`, and a line `i2c-dev` in /etc/modules-load.d/i2c.conf for the next boot"
        return fail(f"no {name}: the kernel module i2c-dev is not loaded", "i2c-dev loaded", step)
    if others:
        return fail(f"no {name}, but {', '.join(others)}", name, "choose one of these with --bus")
    return fail(f"no {name}", "an I2C bus", "reboot if I2C was enabled just now; a PC has no bus for a sensor")


def check_permission(subject: Subject) -> CheckResult:
    """Whether this user may open the bus."""
    number = subject.bus_number
    if number is None:
        return ok("a simulated bus")
    path = subject.host.root / f"dev/i2c-{number}"
    if subject.host.may_use(path):
        return ok(f"this user may use /dev/i2c-{number}")
    group = _group(path)
    step = f"`sudo usermod -aG {group} $USER`, then log in again"
    return fail(f"/dev/i2c-{number} belongs to group {group}, without this user", "permission to read and write", step)


def check_bus_free(subject: Subject) -> CheckResult:
    """Whether another process uses the bus: setting up the sensor would disturb it."""
    number = subject.bus_number
    if number is None:
        return ok("a simulated bus")
    users = bus_users(subject.host.root, number)
    if not users:
        return ok(f"no other process visible to this user has /dev/i2c-{number} open")
    found = f"{', '.join(users)} has /dev/i2c-{number} open"
    if subject.shared:
        return warn(found, "no other process on the bus", "expect gaps in both programs if it uses the same sensor")
    step = "end it, or use --shared if it works with another chip than the sensor"
    return fail(found, "no other process on the bus", step)


def bus_users(root: Path, number: int) -> tuple[str, ...]:
    """Processes other than this one that have a bus open, as ``python (1234)``."""
    users = []
    for process in matching(root / "proc", "[0-9]*"):
        if process.name != str(os.getpid()) and any(_leads_to_bus(fd, number) for fd in matching(process / "fd", "*")):
            users.append(f"{text_of(process / 'comm') or 'a process'} ({process.name})")
    return tuple(users)


def _leads_to_bus(descriptor: Path, number: int) -> bool:
    try:
        return str(descriptor.readlink()) == f"/dev/i2c-{number}"
    except OSError:
        return False


def check_addresses(subject: Subject) -> CheckResult:
    """Answers at the addresses that the drivers know."""
    chips = subject.chips
    if chips:
        return ok(", ".join(f"0x{chip.address:02x} answers" for chip in chips))
    asked = dict.fromkeys(address for driver in DRIVERS for address in driver.addresses)
    where = f"0x{subject.address:02x}" if subject.address is not None else ", ".join(f"0x{a:02x}" for a in asked)
    step = "check VCC, GND, SDA (pin 3) and SCL (pin 5); `i2cdetect -y N` shows every address that answers"
    return fail(f"no answer at {where}", "an acknowledge", step)


def check_identity(subject: Subject) -> CheckResult:
    """Identity of the chip by its WHO_AM_I: genuine, a clone, or without a driver."""
    driven = [chip for chip in subject.chips if chip.driver is not None]
    named = "; ".join(map(_described, subject.chips))
    if not driven:
        known = ", ".join(f"0x{value:02X}" for driver in SENSORS.values() for value in driver.who_am_i_values)
        return fail(named, f"a WHO_AM_I of a chip with a driver: {known}", "fit a sensor that has a driver")
    if "clone" in driven[0].chip:
        step = "continue if rate, gravity and bias below are right; otherwise fit a genuine chip"
        return warn(named, "a genuine chip", step)
    return ok(named)


def check_bus_clock(subject: Subject) -> CheckResult:
    """The measured bus clock against the configured one, and the share of it that the FIFO takes."""
    timing = subject.bus_timing
    configured_hz = subject.bus_hz or configured_clock_hz(subject.host.root, subject.bus_number)
    if not timing.hz > 0 or timing.spread > UNSURE:
        found = (
            f"durations of reads too uneven to measure it ({timing.overhead_us:.0f} µs per transfer besides the data)"
        )
        return warn(found, f"a standard error below {UNSURE:.0%}", "run again on an idle machine")
    load = bus_load(subject, timing.hz)
    configured = _khz(configured_hz) if configured_hz else "unknown"
    found = (
        f"{_khz(timing.hz)} ± {timing.spread:.1%} measured, {configured} configured; {timing.overhead_us:.0f} µs per "
        f"transfer for the host and the addressing, not included; the FIFO takes {load:.1%} of the clock"
    )
    if load > BUSY:
        return warn(found, f"at most {BUSY:.0%}", "raise dtparam=i2c_arm_baudrate in config.txt, or lower the rate")
    if configured_hz and abs(timing.hz / configured_hz - 1) > CLOCK_TOLERANCE:
        step = (
            "the divider follows the core clock on a Raspberry Pi: fix core_freq in config.txt, or ask for "
            f"i2c_arm_baudrate={round(configured_hz**2 / timing.hz, -3):.0f}; a sensor works either way"
        )
        return warn(found, f"{_khz(configured_hz)} within {CLOCK_TOLERANCE:.0%}", step)
    return ok(found)


def bus_load(subject: Subject, hz: float) -> float:
    """Share of the bus's time that the FIFO's data takes at the wanted rate, from the driver's datum size."""
    driver: type[FifoImu] = SENSORS[next((c.driver for c in subject.chips if c.driver), None) or DRIVERS[0].name]
    return subject.config.rate_hz * driver.datum_bytes * 9 / hz


def i2c_enabled(root: Path) -> tuple[str | None, bool | None]:
    """The firmware's configuration file, and whether it enables I2C; None if it has no such setting."""
    for name in CONFIG_FILES:
        text = text_of(root / name)
        if text:
            settings = re.findall(_DTPARAM, text)
            return f"/{name}", settings[-1].lower() in ("on", "true", "yes", "1") if settings else None
    return None, None


def module_loaded(root: Path) -> bool:
    """Whether i2c-dev, which makes the device nodes, is there, as a module or built in."""
    modules = text_of(root / "proc/modules")
    return any(line.startswith("i2c_dev ") for line in modules.splitlines()) or (
        (root / "sys/module/i2c_dev").exists() or (root / "sys/class/i2c-dev").exists()
    )


def configured_clock_hz(root: Path, number: int | None) -> int | None:
    """The bus clock in the device tree; None if it is missing or implausible."""
    if number is None:
        return None
    tree = root / "proc/device-tree"
    alias = text_of(tree / f"aliases/i2c{number}").lstrip("/")
    nodes = [root / f"sys/class/i2c-adapter/i2c-{number}/of_node", root / f"sys/class/i2c-dev/i2c-{number}/of_node"]
    if alias:
        nodes.append(tree / alias)
    controllers = matching(tree, "soc*/i2c@*")
    if len(controllers) == 1:
        nodes += controllers
    found = (_big_endian(node / "clock-frequency") for node in nodes)
    return next((hz for hz in found if hz is not None and SLOWEST_HZ <= hz <= FASTEST_HZ), None)


def _big_endian(path: Path) -> int | None:
    """A cell of the device tree: four bytes, the highest first (Devicetree Specification 0.4, section 2.2.4)."""
    try:
        with path.open("rb") as file:
            content = file.read(5)
    except (OSError, ValueError):
        return None
    return int.from_bytes(content, "big") if len(content) == 4 else None


def _described(chip: FoundChip) -> str:
    return f"0x{chip.address:02x}: {chip.chip} (WHO_AM_I 0x{chip.who_am_i:02X})"


def _group(path: Path) -> str:
    try:
        return path.group()
    except (OSError, KeyError):
        return "i2c"


def _khz(hz: float) -> str:
    return f"{hz / 1000:.0f} kHz"
