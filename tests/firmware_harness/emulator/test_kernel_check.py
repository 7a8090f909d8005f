import errno
import json
import shutil

import numpy as np
import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator.image import default_recipe
from deseptr.firmware_harness.emulator.kernel_check import (
    KERNEL_NAMES,
    SIGNALS,
    Reading,
    check_with_kernel,
    job_entries,
    kernel_recipe,
    parse_readings,
)
from deseptr.firmware_harness.emulator.machine import QEMU
from deseptr.firmware_harness.emulator.process import Finished
from deseptr.firmware_harness.simulator.chips.registry import CHIPS

SAID = """\
[    0.000000] Booting Linux
@kernel-check {"linux": "6.1"}
@kernel-check {"front": "usbip", "sensor": "mpu6050", "samples": 102, "gaps": 0, "si": [1, 2, 3, 4, 5, 6], "absent": 6}
[   11.61] vhci_hcd: something @kernel-check {"front": "kernel", "sensor": "mpu6050", "si": [1, 2, 3, 4, 5, 6]}
"""
DONE = '@kernel-check {"done": true}\n'


def finished(output, errors="", timed_out=False):
    return Finished(0, output, errors, timed_out=timed_out)


def test_readings_are_found_among_the_kernels_lines():
    assert parse_readings(finished(SAID + DONE)) == [
        Reading("usbip", "mpu6050", (1, 2, 3, 4, 5, 6), 102, 0, 6),
        Reading("kernel", "mpu6050", (1, 2, 3, 4, 5, 6)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"front": "usbip"',
        "7",
        "[" * 200_000,
        '{"front": "usbip", "sensor": "mpu6050"}',
        '{"front": "usbip", "sensor": ["mpu6050"], "si": [1, 2, 3, 4, 5, 6]}',
        '{"front": "usbip", "sensor": "mpu6050", "si": [1, 2, 3]}',
        '{"front": "usbip", "sensor": "mpu6050", "si": [1, 2, 3, 4, 5, NaN]}',
        '{"front": "usbip", "sensor": "mpu6050", "si": [1, 2, 3, 4, 5, 6], "gaps": -1}',
    ],
)
def test_a_reading_that_cannot_be_read_is_left_out(line):
    assert parse_readings(finished(f"{SAID}@kernel-check {line}\n{DONE}")) == parse_readings(finished(SAID + DONE))


@pytest.mark.parametrize(
    ("end", "found"),
    [
        (finished(SAID + '@kernel-check {"error": "OSError: no"}\n'), "OSError: no"),
        (finished(SAID, timed_out=True), "a machine still running"),
        (finished(SAID, errors="qemu: bad"), "qemu: bad"),
        (finished(SAID), "an incomplete console"),
    ],
)
def test_an_unfinished_machine_is_an_error(end, found):
    with pytest.raises(SetupError, match=f"qemu-system-aarch64: found {found}"):
        parse_readings(end)


def test_the_archive_contains_this_package_and_the_job():
    entries = {entry.path: entry for entry in job_entries(["lsm6ds3trc"], SIGNALS)}
    assert entries["init"].mode & 0o100
    assert entries["init"].data.startswith(b"#!/usr/bin/python3")
    assert json.loads(entries["job/job.json"].data) == {
        "sensors": {"lsm6ds3trc": "lsm6ds3tr-c"},
        "signals": [1.0, -2.0, 9.0, 0.5, -1.0, 0.25],
    }
    site = "usr/lib/python3/dist-packages"
    for path in ("deseptr/device/bus.py", "deseptr/firmware_harness/simulator/front/cuse.py", "smbus2/smbus2.py"):
        assert entries[f"{site}/{path}"].data


def test_the_machine_differs_from_the_counting_one():
    assert kernel_recipe().key() != default_recipe().key()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed")
def test_the_kernels_drivers_agree_with_ours():
    readings = {(reading.front, reading.sensor): reading for reading in check_with_kernel()}
    assert set(KERNEL_NAMES) <= set(CHIPS)
    assert readings["cuse", "mpu6050"].absent == errno.EREMOTEIO
    for sensor in KERNEL_NAMES:
        ours, kernels = readings["usbip", sensor], readings["kernel", sensor]
        assert (ours.gaps, ours.absent) == (0, errno.ENXIO)
        assert ours.samples >= 100
        # Half a count of the coarser of both full scales (4 g, 2000 degrees/s), and the kernel's scale of three digits.
        tolerance = np.array([0.0006] * 3 + [0.0006] * 3) + 0.001 * np.abs(SIGNALS)
        assert (np.abs(np.array(ours.si) - SIGNALS) <= tolerance).all()
        assert (np.abs(np.array(kernels.si) - SIGNALS) <= tolerance).all()
    assert readings["cuse", "mpu6050"].si == readings["usbip", "mpu6050"].si
