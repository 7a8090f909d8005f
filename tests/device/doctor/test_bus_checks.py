import os
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.device import BusError
from deseptr.device.doctor import CHECKS, Level, run_checks
from deseptr.device.doctor.bus_checks import (
    bus_users,
    check_addresses,
    check_bus,
    check_bus_clock,
    check_bus_free,
    check_identity,
    check_permission,
    configured_clock_hz,
    i2c_enabled,
    module_loaded,
)
from deseptr.firmware_harness.simulator import BCM2835, BCM2835_SLOW, I2C_TINY_USB, Clone, Nack, StuckBus

CONFIG = "boot/firmware/config.txt"
SOC = "proc/device-tree/soc"


def test_bus_is_there(make_subject):
    assert check_bus(make_subject()).found == "/dev/i2c-1"
    assert check_bus(make_subject(simulated=True)).found == "a simulated bus"


@pytest.mark.parametrize(
    ("files", "found", "step"),
    [
        ({CONFIG: b"dtparam=i2c_arm=off"}, "I2C is not enabled in /boot/firmware/config.txt", "dtparam=i2c_arm=on"),
        ({CONFIG: b"#dtparam=i2c_arm=on"}, "I2C is not enabled in /boot/firmware/config.txt", "raspi-config"),
        ({CONFIG: None, "boot/config.txt": b"x=1"}, "I2C is not enabled in /boot/config.txt", "reboot"),
        ({"proc/modules": b"i2c_bcm2835 1 0"}, "the kernel module i2c-dev is not loaded", "sudo modprobe i2c-dev"),
        ({"dev/i2c-20": b""}, "no /dev/i2c-1, but i2c-20", "--bus"),
        ({}, "no /dev/i2c-1", "reboot"),
    ],
)
def test_reason_for_a_missing_bus(make_subject, files, found, step):
    result = check_bus(make_subject(files={"dev/i2c-1": None, **files}))
    assert result.level is Level.FAIL
    assert found in result.found
    assert step in result.next_step


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        ("dtparam=i2c_arm=on", True),
        ("  dtparam=spi=on,i2c_arm=on,i2c_arm_baudrate=400000\r\n", True),
        ("dtparam=i2c1=on", True),
        ("dtparam=i2c=on\ndtparam=i2c_arm=off", False),
        ("dtparam=i2c_arm_baudrate=400000", None),
        ("# dtparam=i2c_arm=on", None),
    ],
)
def test_config_txt(make_root, text, enabled):
    assert i2c_enabled(make_root({CONFIG: text.encode()})) == ("/boot/firmware/config.txt", enabled)


def test_no_config_txt(tmp_path):
    assert i2c_enabled(tmp_path) == (None, None)


def test_module_may_be_built_in(make_root):
    root = make_root({"proc/modules": b""})
    assert not module_loaded(root)
    (root / "sys/class/i2c-dev").mkdir(parents=True)
    assert module_loaded(root)


def test_no_permission(make_subject):
    result = check_permission(make_subject(host={"may_use": lambda path: False}))
    assert result.level is Level.FAIL
    assert result.found.startswith("/dev/i2c-1 belongs to group ")
    assert result.next_step.startswith("`sudo usermod -aG ")


def test_permission_is_asked_for_the_right_file(make_subject):
    asked = []
    subject = make_subject(host={"may_use": lambda path: bool(asked.append(path)) or True})
    assert check_permission(subject).level is Level.OK
    assert asked == [subject.host.root / "dev/i2c-1"]


@pytest.mark.parametrize("shared", [False, True])
def test_another_process_on_the_bus(make_subject, shared):
    subject = make_subject(files={"proc/77/comm": b"deseptr\n"}, shared=shared)
    folder = subject.host.root / "proc/77/fd"
    folder.mkdir()
    (folder / "3").symlink_to("/dev/i2c-1")
    (folder / "4").symlink_to("/dev/null")
    result = check_bus_free(subject)
    assert result.level is (Level.WARN if shared else Level.FAIL)
    assert result.found == "deseptr (77) has /dev/i2c-1 open"
    levels = {finding.check: finding.level for finding in run_checks(subject, CHECKS)}
    assert levels["set-up"] is (Level.OK if shared else Level.SKIP)
    assert levels["identity"] is Level.OK


def test_own_process_does_not_count(make_root):
    root = make_root({f"proc/{os.getpid()}/comm": b"python"})
    folder = root / f"proc/{os.getpid()}/fd"
    folder.mkdir()
    (folder / "3").symlink_to("/dev/i2c-1")
    assert bus_users(root, 1) == ()


def test_the_real_proc_can_be_read():
    assert all(user.endswith(")") for user in bus_users(Path("/"), 1))


def test_nobody_answers(make_subject):
    result = check_addresses(make_subject(faults=[Nack(duration_s=1000)]))
    assert result.level is Level.FAIL
    assert "no answer at 0x68, 0x69" in result.found
    assert "SDA" in result.next_step
    wrong = check_addresses(make_subject(address=0x69))
    assert wrong.found == "no answer at 0x69"


def test_a_stuck_bus_has_its_own_message(make_subject):
    with pytest.raises(BusError, match="a stuck bus"):
        check_addresses(make_subject(faults=[StuckBus(duration_s=1000)]))


def test_a_bus_that_does_not_open_is_a_failure_and_nothing_more(make_subject):
    subject = make_subject()

    def refuse():
        raise SetupError("smbus2", found="no such package", expected="the I2C library", next_step="install it")

    subject.open_bus = refuse
    findings = {finding.check: finding for finding in run_checks(subject, CHECKS)}
    assert findings["addresses"].level is Level.FAIL
    assert findings["addresses"].found == "smbus2: no such package"
    assert findings["fifo-rate"].found == "needs set-up"
    assert findings["disk"].level is Level.OK


@pytest.mark.parametrize(
    ("who_am_i", "level", "found"),
    [
        (0x68, Level.OK, "0x68: MPU-6050 (WHO_AM_I 0x68)"),
        (0x98, Level.WARN, "0x68: ICM-20689 or clone of an MPU-6050 (WHO_AM_I 0x98)"),
        (0x19, Level.FAIL, "0x68: an MPU-6886 (WHO_AM_I 0x19)"),
        (0x00, Level.FAIL, "0x68: an unknown chip (WHO_AM_I 0x00)"),
    ],
)
def test_identity(make_subject, who_am_i, level, found):
    result = check_identity(make_subject(faults=[Clone(who_am_i=who_am_i)]))
    assert (result.level, result.found) == (level, found)


@pytest.mark.parametrize(
    ("profile", "level", "found"),
    [
        (BCM2835, Level.OK, "400 kHz ± 0.0% measured, 400 kHz configured"),
        (BCM2835_SLOW, Level.WARN, "250 kHz ± 0.0% measured, 400 kHz configured"),
        (BCM2835.at(100_000), Level.WARN, "100 kHz ± 0.0% measured, 400 kHz configured"),
    ],
)
def test_bus_clock(make_subject, profile, level, found):
    result = check_bus_clock(make_subject(profile=profile))
    assert result.level is level
    assert result.found.startswith(found)
    if profile is BCM2835_SLOW:
        assert "i2c_arm_baudrate=640000" in result.next_step


def test_bus_clock_without_a_device_tree(make_subject):
    subject = make_subject(profile=I2C_TINY_USB, simulated=True)
    result = check_bus_clock(subject)
    assert result.level is Level.OK
    assert result.found.startswith("50 kHz ± 0.0% measured, unknown configured; ")
    assert "the FIFO takes 10.8% of the clock" in result.found


def test_a_bus_without_room_for_the_fifo(make_subject):
    result = check_bus_clock(make_subject(profile=I2C_TINY_USB.at(16_000), simulated=True))
    assert result.level is Level.WARN
    assert "the FIFO takes 67.5% of the clock" in result.found


def test_configured_clock_is_that_of_the_right_bus(make_root):
    root = make_root({f"{SOC}/i2c@7e804000/clock-frequency": (250_000).to_bytes(4, "big")})
    assert configured_clock_hz(root, 1) == 250_000
    # Bus 0 has no alias here, and of two controllers it is not known which it is.
    assert configured_clock_hz(root, 0) is None
    node = root / "sys/class/i2c-adapter/i2c-1/of_node"
    node.mkdir(parents=True)
    (node / "clock-frequency").write_bytes((400_000).to_bytes(4, "big"))
    assert configured_clock_hz(root, 1) == 400_000


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\6\x1a\x80\0", b"400000"])
def test_a_clock_that_makes_no_sense_is_none(make_root, content):
    root = make_root({f"{SOC}/i2c@7e804000/clock-frequency": content})
    assert configured_clock_hz(root, 1) is None
