"""Doctor and recorder as their users run them: processes of their own, real smbus2, a device node."""

import sys

import numpy as np
import pytest

from deseptr.data import load_dataset
from deseptr.device import SystemClock
from deseptr.firmware_harness.simulator import RestingSource, SimulatedMpu6050, VirtualI2cBus
from deseptr.firmware_harness.simulator.front import IoctlBus, missing_umockdev

pytestmark = pytest.mark.skipif(bool(missing_umockdev()), reason=f"umockdev: {missing_umockdev()}")


@pytest.fixture
def run():
    clock = SystemClock()
    front = IoctlBus(VirtualI2cBus({0x68: SimulatedMpu6050(RestingSource(np.random.default_rng(1)), clock)}, clock))
    number = front.path.rpartition("-")[2]

    def run(command, *arguments):
        program = [sys.executable, "-m", "deseptr.cli", "device", command, "--bus", number]
        return front.run([*program, *map(str, arguments)], timeout=120)

    return run


def test_doctor(run):
    done = run("doctor", "--seconds", "1")
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if line[:4].strip() in ("OK", "WARN", "FAIL")}
    for check in (
        "i2c-bus",
        "permission",
        "bus-free",
        "addresses",
        "identity",
        "set-up",
        "alive",
        "at-rest",
        "gravity",
    ):
        assert lines[check].startswith("OK"), done.stdout
    assert "50 nominal" in lines["fifo-rate"]
    assert "simulated" not in done.stdout
    assert "sampling for 1 s" in done.stderr


@pytest.mark.slow
def test_record(run, tmp_path):
    done = run("record", "--subject", "ada", "--label", "still", "--seconds", "3", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    dataset = load_dataset(tmp_path)
    assert dataset.label_names == ("still",)
    assert dataset.samples == pytest.approx(150, abs=3)
    assert dataset.recordings[0].rate_hz == pytest.approx(50, rel=0.02)
