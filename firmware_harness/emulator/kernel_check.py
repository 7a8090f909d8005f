"""Test of the simulated chips with Linux in an emulated machine: its CUSE, its USB stack, its sensor drivers.

The kernel's drivers were written independently from the same data sheets: if they and the drivers of this package read
the same values from a simulated chip, none of the three has a wrong scale or axis.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError
from deseptr.contract.limits import Limits

from .cpio import CpioEntry
from .image import ImageRecipe, default_cache, default_recipe, prepare_image
from .kernel_guest import MARK
from .machine import QEMU, boot_files, check_qemu
from .process import Finished
from .verify_console import marked_facts

MODULES = ("i2c_dev", "cuse", "vhci_hcd", "i2c_tiny_usb", "inv_mpu6050_i2c", "st_lsm6dsx_i2c")
# Names of the chips in the kernel's drivers (inv_mpu_i2c.c, st_lsm6dsx_i2c.c).
KERNEL_NAMES = {
    "mpu6050": "mpu6050",
    "mpu6500": "mpu6500",
    "lsm6dsox": "lsm6dsox",
    "lsm6ds3trc": "lsm6ds3tr-c",
}
SIGNALS = (1.0, -2.0, 9.0, 0.5, -1.0, 0.25)
CPU = "cortex-a53"
_ROOMS = ("contract", "data", "tflite", "device", "firmware_harness")
_SOURCES = (".py", ".pyi")
_LIBRARIES = ("smbus2", "lazy_loader")
_SITE = "usr/lib/python3/dist-packages"
_INIT = b"""\
#!/usr/bin/python3 -uB
from deseptr.firmware_harness.emulator.kernel_guest import main

main()
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Readings of one chip in one way.

    Args:
        front: ``cuse`` or ``usbip`` for this package's driver; ``kernel`` for the kernel's.
        sensor: the chip.
        si: mean of each channel, m/s^2 and rad/s.
        samples: number of samples; one for the kernel's driver.
        gaps: number of gaps.
        absent: errno of a read from a missing device; 0 for the kernel's driver.
    """

    front: str
    sensor: str
    si: tuple[float, ...]
    samples: int = 1
    gaps: int = 0
    absent: int = 0


_SI, _COUNT = Limits(-1e6, 1e6), Limits(0, 1 << 31, whole=True)
_COUNTS = {"samples": 1, "gaps": 0, "absent": 0}


def check_with_kernel(
    sensors: Sequence[str] = tuple(KERNEL_NAMES),
    *,
    signals: Sequence[float] = SIGNALS,
    timeout: float = 600.0,
    cache: Path | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> list[Reading]:
    """Read simulated chips through CUSE and USB/IP with this package's drivers, and through USB/IP with the kernel's.

    Args:
        sensors: names of :data:`KERNEL_NAMES`.
        signals: their input signals, m/s^2 and rad/s.
        timeout: longest time for the machine, seconds.
        cache: folder of machines; by default :func:`.image.default_cache`.
        note: called with a line for each slow step.

    Raises:
        SetupError: if QEMU or Debian's package tools are missing, or the machine does not finish its job.
    """
    check_qemu()
    image = prepare_image(kernel_recipe(), cache or default_cache(), note)
    note(f"emulating {CPU} with {', '.join(sensors)}")
    finished = boot_files(image, CPU, job_entries(sensors, signals), timeout=timeout, counting=False)
    return parse_readings(finished)


def kernel_recipe() -> ImageRecipe:
    """The machine: Python and numpy, and the modules."""
    return replace(default_recipe(), runtime="numpy", modules=MODULES)


def job_entries(sensors: Sequence[str], signals: Sequence[float]) -> Iterator[CpioEntry]:
    """Entries of the archive of one call: process 1, this package with its libraries, and the job."""
    job = {"sensors": {sensor: KERNEL_NAMES[sensor] for sensor in sensors}, "signals": list(signals)}
    yield CpioEntry.file("init", _INIT, executable=True)
    yield CpioEntry.file("job/job.json", json.dumps(job).encode())
    for item in files("deseptr").iterdir():
        if item.is_file() and item.name.endswith(_SOURCES):
            yield CpioEntry.file(f"{_SITE}/deseptr/{item.name}", item.read_bytes())
    for room in _ROOMS:
        yield from _sources(files(f"deseptr.{room}"), f"{_SITE}/deseptr/{room}")
    for library in _LIBRARIES:
        yield from _sources(files(importlib.import_module(library)), f"{_SITE}/{library}")


def parse_readings(finished: Finished) -> list[Reading]:
    """The readings that the machine reported.

    Raises:
        SetupError: if it failed, or was ended before it had finished.
    """
    facts = list(marked_facts(finished.output, MARK))
    errors = [str(fact["error"]) for fact in facts if "error" in fact]
    if errors or {"done": True} not in facts:
        last = finished.errors.strip() or "an incomplete console"
        raise SetupError(
            QEMU,
            found=errors[0] if errors else "a machine still running" if finished.timed_out else last,
            expected="the kernel's readings",
            next_step="run it again with more time; if it fails again, the kernel refuses a simulated chip",
        )
    # One that cannot be read is missing where the readings are compared.
    return [reading for fact in facts if (reading := _reading(fact)) is not None]


def _reading(fact: dict[str, Any]) -> Reading | None:
    match fact:
        case {"front": str(front), "sensor": str(sensor), "si": [*si]} if all(map(_SI.allow, si)):
            counts = [fact.get(name, default) for name, default in _COUNTS.items()]
            if len(si) == len(SIGNALS) and all(map(_COUNT.allow, counts)):
                return Reading(front, sensor, tuple(si), *counts)
    return None


def _sources(folder: Traversable, path: str) -> Iterator[CpioEntry]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _sources(item, f"{path}/{item.name}")
        elif item.name.endswith(_SOURCES):
            yield CpioEntry.file(f"{path}/{item.name}", item.read_bytes())
