"""What is the BMI270's alone: configuration file, cross sensitivity of the gyroscope, frames of the FIFO."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.device.group import device
from deseptr.contract import SensorError, SetupError
from deseptr.device import ImuConfig
from deseptr.device.drivers import bmi270_config
from deseptr.device.drivers.bmi270 import Bmi270
from deseptr.device.drivers.bmi270_config import read_config
from deseptr.firmware_harness.simulator import (
    ConstantSource,
    CountingSource,
    VirtualClock,
    VirtualI2cBus,
    counted_times,
)
from deseptr.firmware_harness.simulator.chips.bmi270 import SimulatedBmi270

MS = 1_000_000
CONFIG = ImuConfig(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000)
FILE = bytes.fromhex("c82e").ljust(8192, b"\x11")


def bench(source=None, **options):
    clock = VirtualClock()
    chip = SimulatedBmi270(source or CountingSource(), clock, **options)
    return Bmi270(VirtualI2cBus({0x68: chip}, clock), clock), chip, clock


def test_the_named_file_comes_before_linux_and_the_package(tmp_path, monkeypatch):
    named, firmware = tmp_path / "mine.bin", tmp_path / "bmi270-init-data.fw"
    named.write_bytes(FILE)
    firmware.write_bytes(FILE.replace(b"\x11", b"\x22"))
    monkeypatch.setitem(sys.modules, "bmi270", SimpleNamespace(__path__=[]))
    monkeypatch.setitem(
        sys.modules, "bmi270.config_file", SimpleNamespace(bmi270_config_file=list(FILE[:-1] + b"\x33"))
    )
    monkeypatch.setenv("DESEPTR_BMI270_CONFIG", str(named))
    assert read_config(firmware) == FILE
    monkeypatch.delenv("DESEPTR_BMI270_CONFIG")
    assert read_config(firmware)[2:] == b"\x22" * 8190
    assert read_config(tmp_path / "none")[-1] == 0x33


def test_without_any_file_the_way_to_one_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("DESEPTR_BMI270_CONFIG")
    monkeypatch.setitem(sys.modules, "bmi270", None)
    monkeypatch.setitem(sys.modules, "bmi270.config_file", None)
    with pytest.raises(SetupError, match=r"BMI270: found no configuration file, .* `pip install bmi270`"):
        read_config(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (FILE[:100], "100 bytes that begin with c82e"),
        (b"\0" * 8192, "8192 bytes that begin with 0000"),
        (b"", "nothing"),
    ],
)
def test_another_file_is_refused_before_the_chip_gets_it(content, found, tmp_path, monkeypatch):
    (tmp_path / "x.bin").write_bytes(content)
    monkeypatch.setenv("DESEPTR_BMI270_CONFIG", str(tmp_path / "x.bin"))
    imu, *_ = bench()
    with pytest.raises(SetupError, match=found):
        imu.configure(CONFIG)


def test_a_file_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("DESEPTR_BMI270_CONFIG", str(tmp_path / "away.bin"))
    with pytest.raises(SetupError, match=r"away\.bin: found No such file"):
        read_config()


def test_the_option_of_the_commands_names_it(tmp_path, monkeypatch, acc_model):
    (tmp_path / "bad.bin").write_bytes(b"abc")
    # Set again, so that the end of the test restores it.
    monkeypatch.setenv("DESEPTR_BMI270_CONFIG", "unused")
    arguments = ["run", "--model", str(acc_model), "--simulate", "--sensor", "bmi270"]
    result = CliRunner().invoke(device, [*arguments, "--bmi270-config", str(tmp_path / "bad.bin")])
    assert isinstance(result.exception, SetupError)
    assert "bad.bin: found 3 bytes that begin with 6162" in str(result.exception)


def test_a_chip_that_does_not_take_the_file_is_an_error(monkeypatch):
    imu, chip, _ = bench()
    monkeypatch.setattr("deseptr.device.drivers.bmi270.read_config", lambda: FILE[:-128])
    with pytest.raises(SensorError, match="found INTERNAL_STATUS 2 after its configuration file was written"):
        imu.configure(CONFIG)
    assert chip.samples_taken == 0


def test_nothing_of_bosch_is_shipped():
    assert bmi270_config.SIZE == 8192
    folder = bmi270_config.Path(bmi270_config.__file__).parent
    assert not [path.name for path in folder.iterdir() if path.suffix in (".bin", ".fw")]


@pytest.mark.parametrize("factor_zx", [-64, -7, 0, 25, 63])
def test_the_gyroscopes_cross_sensitivity_is_taken_out(factor_zx):
    signal = [1.0, -2.0, 9.0, 0.5, -1.0, 10.0]
    imu, _, clock = bench(ConstantSource(signal), factor_zx=factor_zx)
    imu.configure(CONFIG)
    imu.start()
    clock.sleep_ns(200 * MS)
    half_count = imu.si_per_count(8, 1000) / 2
    assert (np.abs(imu.drain().signals - signal) <= half_count * 1.2).all()


def test_a_frame_of_one_sensor_is_passed_over_at_the_beginning_alone():
    imu, *_ = bench()
    both = bytes((0x8C, *range(12)))
    assert imu._datums_of(bytes((0x84, *range(6))) + both) == bytes(range(12))
    assert imu._datums_of(both + bytes((0x48, 0, 0, 0, 0)) + both[:5]) == bytes(range(12))
    assert imu._decode(b"") is not None
    assert imu._datums_of(bytes((0x88, *range(6)))) == b""
    assert imu._decode(b"") is None


def test_every_sample_comes_once_after_frames_cut_by_a_notice():
    imu, chip, clock = bench()
    imu.configure(CONFIG)
    imu.start()
    clock.sleep_ns(1000 * MS)
    # A change of settings enters the FIFO as a frame of five bytes, which shifts the bursts against the frames.
    chip.read(0x00, 1)
    chip._frames.insert(3, bytes((0x48, 0, 0, 0, 0)))
    chip._held_bytes += 5
    times = counted_times(imu.drain().signals).tolist()
    clock.sleep_ns(100 * MS)
    times += counted_times(imu.drain().signals).tolist()
    assert np.diff(times).tolist() == [20 * MS] * (len(times) - 1)
    assert len(times) >= 53
