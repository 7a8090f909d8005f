import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.firmware.group import firmware
from deseptr.contract import DataError, SensorError, SetupError
from deseptr.firmware_harness.simulator.front import missing_umockdev

needs_umockdev = pytest.mark.skipif(bool(missing_umockdev()), reason=f"umockdev: {missing_umockdev()}")


def invoke(*arguments):
    result = CliRunner().invoke(firmware, ["simulate", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_list_shows_which_fronts_work_here():
    assert (
        "inprocess  the driver, in this process and in virtual time\n           possible\n" in invoke("--list").stdout
    )
    fronts = json.loads(invoke("--list", "--json").stdout)
    assert [front["name"] for front in fronts] == ["inprocess", "ioctl", "cuse", "usbip"]
    assert all(front["possible"] or front["next_step"] for front in fronts)


@pytest.mark.parametrize("sensor", ["mpu6050", "lsm6dsox"])
def test_in_process_the_driver_reads_the_signal(sensor):
    facts = json.loads(invoke("--sensor", sensor, "--source", "still", "--seconds", 1, "--json").stdout)
    assert (facts["sensor"], facts["gaps"]) == (sensor, [])
    assert len(facts["signals"]) >= 100
    assert facts["signals"][0][2] == pytest.approx(9.80665, abs=0.2)


def test_the_summary_has_all_axes():
    lines = invoke("--source", "sine", "--seconds", 2).stdout.splitlines()
    assert lines[0].startswith("MPU-6050, 25.0 °C: 20")
    assert lines[0].endswith("samples at 100 Hz, no gap")
    assert [line.split()[0] for line in lines[1:]] == ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]
    assert float(lines[3].split()[1]) == pytest.approx(9.8, abs=0.3)
    # The deviation of a sine is its amplitude over the root of 2.
    assert float(lines[1].split()[3]) == pytest.approx(3 / 2**0.5, abs=0.1)


def test_a_recording_ends(tmp_path):
    facts = json.loads(invoke("--source", "synthetic:subjects=1,seconds=5", "--seconds", 60, "--json").stdout)
    assert 400 < len(facts["signals"]) < 600


def test_faults_come_from_a_file(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text('[[faults]]\nkind = "nack"\nat_s = 0.5\ntransfers = 1\n')
    with pytest.raises(SensorError, match="no answer"):
        invoke("--faults", path)
    path.write_text("[[faults]\n")
    with pytest.raises(SetupError, match=r"faults\.toml: found .* expected a TOML file"):
        invoke("--faults", path)
    with pytest.raises(SetupError, match=r"none\.toml: found No such file"):
        invoke("--faults", tmp_path / "none.toml")


@needs_umockdev
def test_at_ioctl_level_another_process_reads_it():
    facts = json.loads(invoke("--front", "ioctl", "--source", "still", "--seconds", 0.2, "--json").stdout)
    assert len(facts["signals"]) >= 20
    assert facts["signals"][0][2] == pytest.approx(9.80665, abs=0.2)


@needs_umockdev
def test_a_command_finds_the_bus_and_its_exit_code_is_returned():
    code = "import smbus2, sys; print(smbus2.SMBus(1).read_byte_data(0x68, 0x75)); sys.exit(3)"
    command = [sys.executable, "-m", "deseptr.cli", "firmware", "simulate", "--front", "ioctl", "--"]
    done = subprocess.run([*command, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "104\n", "")


@needs_umockdev
def test_one_command_gives_the_same_labels_on_every_front():
    run = ["deseptr", "device", "run", "--json", "--smoothing", "none", "--seconds", "7"]
    labels = {}
    for front in ("inprocess", "ioctl"):
        simulate = [sys.executable, "-m", "deseptr.cli", "firmware", "simulate", "--front", front, "--"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path}
        done = subprocess.run([*simulate, *run], capture_output=True, text=True, check=True, env=environment)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert not [event for event in events if "gap" in event]
        labels[front] = [event["label"] for event in events if "probabilities" in event]
    # At the ioctl level a start takes longer, of which the seconds are; a window may be missing at the end.
    count = min(map(len, labels.values()))
    assert count >= 3
    assert labels["inprocess"][:count] == labels["ioctl"][:count]


@pytest.mark.parametrize(("source", "code"), [("still", 0), ("sine", 1)])
def test_in_process_the_doctor_examines_the_sensor_and_its_exit_code_is_returned(source, code):
    done = invoke("--sensor", "mpu6500", "--source", source, "--", "deseptr", "device", "doctor", "--seconds", 3)
    assert "mpu6500 at 0x68" in done.stdout
    assert "bus and sensor were simulated" in done.stdout
    assert done.exit_code == code


def test_only_deseptr_runs_in_this_process():
    assert "--front inprocess runs only `deseptr` itself as COMMAND" in invoke("ls").stderr


def test_wrong_use_is_explained():
    assert "COMMAND goes with --front inprocess or ioctl" in invoke("--front", "cuse", "ls").stderr
    for arguments, error, message in (
        (("--sensor", "abacus"), SetupError, "--sensor: found abacus"),
        (("--controller", "abacus"), SetupError, "bus profile: found abacus"),
        (("--source", "no-such.csv"), DataError, "no-such.csv: found no such file"),
    ):
        with pytest.raises(error, match=message):
            invoke(*arguments)


def test_an_mpu9250_is_read_by_the_driver_of_the_mpu6500():
    assert invoke("--sensor", "mpu9250", "--seconds", "0.5").stdout.startswith("MPU-9250, 25.0 °C: ")
