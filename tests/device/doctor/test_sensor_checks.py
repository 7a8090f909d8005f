from dataclasses import replace

import numpy as np
import pytest
from worn_windows import wearer_samples, worn_windows

from deseptr.contract import CHANNELS, Mounting, SensorError
from deseptr.data import Recording
from deseptr.device import ImuConfig, MountingCorrection
from deseptr.device.doctor import CHECKS, Level, run_checks
from deseptr.device.doctor.sensor_checks import (
    check_alive,
    check_chip_temperature,
    check_field,
    check_fifo,
    check_gravity,
    check_gyro_bias,
    check_model_fit,
    check_mounting,
    check_plausible,
    check_rest,
    check_self_test,
    check_set_up,
)
from deseptr.evaluate.model_file import write_contract
from deseptr.firmware_harness.simulator import (
    ConstantSource,
    Hang,
    Overflow,
    RateError,
    RecordingSource,
    RegisterUpset,
    RestingSource,
)
from deseptr.tflite import read_tflite
from deseptr.train.mounting_reference import mounting_reference

G = 9.80665


class Scaled(RestingSource):
    """A sensor at rest whose signals are off."""

    def __init__(self, offset=(0,) * 6, shake=0.0):
        super().__init__(np.random.default_rng(2), (0, 0, 0))
        self._offset, self._shake = np.array(offset, float), shake

    def at(self, times_ns):
        return super().at(times_ns) + self._offset + self._shake * np.sin(times_ns[:, None] * 2e-9 * np.pi)


def test_set_up(make_subject, int8_model):
    subject = make_subject(model=int8_model)
    assert check_set_up(subject).found == "mpu6050 at 0x68: 50 Hz, ±8 g, ±1000 deg/s, 20 Hz bandwidth"
    upset = make_subject(faults=[RegisterUpset(at_s=100, register=0x1B, bit=4)])
    assert check_set_up(upset).level is Level.OK


@pytest.mark.parametrize(
    ("faults", "level", "found"),
    [
        ([], Level.OK, "50 nominal (-0.0%): a sample every 20.00 ms"),
        ([RateError(rate_error=0.03)], Level.OK, "50 nominal (+3.0%): a sample every 19.4"),
        ([RateError(rate_error=-0.07)], Level.WARN, "50 nominal (-7.0%): a sample every 21.5"),
        ([RateError(rate_error=0.4)], Level.FAIL, "50 nominal (+40.0%)"),
        ([Overflow(at_s=3, duration_s=3)], Level.WARN, "1 gap ("),
        ([Hang(at_s=0.1)], Level.FAIL, "0 samples in 10.0 s"),
    ],
)
def test_fifo(make_subject, faults, level, found):
    result = check_fifo(make_subject(faults=faults))
    assert result.level is level
    assert found in result.found.replace("(+0.0%)", "(-0.0%)")


def test_delays_of_the_host_are_in_milliseconds(make_subject):
    subject = make_subject()
    subject.sampling = replace(subject.sampling, late_s=0.0123)
    assert check_fifo(subject).found.endswith("; host polls up to 12.3 ms late")


def test_duration_of_the_sampling(make_subject):
    assert "measured over 3.0 s" in check_fifo(make_subject(seconds=3)).found


def test_dead_axes_are_named(make_subject):
    result = check_alive(make_subject(source=ConstantSource([0, 0, G, 0, 0, 0])))
    assert result.level is Level.FAIL
    assert result.found.startswith("acc_x, acc_y, acc_z, gyro_x, gyro_y, gyro_z never changed in 50")
    assert check_alive(make_subject()).level is Level.OK


def test_a_chip_whose_counts_are_larger_than_its_noise_is_not_stuck_at_rest(make_subject):
    subject = make_subject(sensor="lis3dh", simulated_sensor="lis3dh")
    alive = check_alive(subject)
    assert alive.level is Level.OK
    assert alive.found.startswith("acc_x, acc_y kept one value: a count is 0.16 m/s², more than the noise at rest;")
    assert check_plausible(subject).level is Level.OK
    # A chip of fine counts that keeps its values is.
    assert check_alive(make_subject(source=ConstantSource([0.1, 0.1, G, 0, 0, 0]))).level is Level.FAIL


def test_samples_that_a_run_would_refuse_are_named(make_subject):
    result = check_plausible(make_subject(source=ConstantSource([0, 0, G, 0, 0, 0])))
    assert result.level is Level.FAIL
    assert result.found == "4 of 4 windows implausible (stuck: an axis does not change, or samples repeat)"
    doubled = check_plausible(make_subject(source=Scaled((0, 0, G, 0, 0, 0))))
    assert "4 of 4 windows implausible (gravity: " in doubled.found
    assert check_plausible(make_subject()).found == "4 windows as a worn sensor gives them"
    assert check_plausible(make_subject(seconds=2)).level is Level.SKIP


@pytest.fixture
def referring_model(int8_model, tmp_path):
    """A model whose contract knows how wearers wore the sensor."""
    file = read_tflite(int8_model)
    reference = mounting_reference(worn_windows(length=file.contract.window_length))
    named = tuple(
        replace(each, label=name) for each, name in zip(reference.classes, file.contract.labels, strict=False)
    )
    contract = replace(file.contract, mounting=replace(reference, classes=named))
    return write_contract(file, tmp_path / "referring.tflite", contract)


TURNED = "it seems turned by 90° about x"


@pytest.mark.parametrize(
    ("turn", "level", "found"),
    [("none", Level.OK, "as in training"), ("x90", Level.WARN, TURNED)],
)
def test_a_worn_sensor_that_is_turned_is_named(make_subject, referring_model, turn, level, found):
    worn = np.concatenate([wearer_samples(90, label, 14) for label in ("standing", "walking", "sitting")])
    turned = MountingCorrection(Mounting.named(turn).inverse(), CHANNELS)(worn)
    source = RecordingSource(Recording(turned, 50.0, "1", np.zeros(len(turned), np.int16)))
    subject = make_subject(model=referring_model, source=source, seconds=100)
    result = check_mounting(subject)
    assert (result.level, result.found) == (level, found)
    assert result.next_step == ("" if level is Level.OK else "mount it as in training, or run with --mounting x90")


def test_a_mounting_needs_a_reference_and_a_wearer(make_subject, referring_model, int8_model, tmp_path):
    file = read_tflite(int8_model)
    plain = write_contract(file, tmp_path / "plain.tflite", replace(file.contract, mounting=None))
    assert check_mounting(make_subject(model=plain)).found.startswith("the model does not know")
    assert check_mounting(make_subject(model=referring_model)).found.startswith("the sensor lay still")
    short = check_mounting(make_subject(model=referring_model, source=Scaled(shake=1.0), seconds=5))
    assert (short.level, short.found.split(";")[0]) == (Level.SKIP, "not clear after 4 s")


def test_a_moving_sensor_skips_gravity_and_bias(make_subject):
    subject = make_subject(source=Scaled(shake=1.0))
    assert check_rest(subject).level is Level.WARN
    assert check_gravity(subject).found == check_gyro_bias(subject).found == "the sensor moved"
    assert check_rest(make_subject()).level is Level.OK


@pytest.mark.parametrize(
    ("offset", "level"), [(0.4, Level.OK), (-0.4, Level.OK), (0.7, Level.WARN), (-0.7, Level.WARN), (-5, Level.FAIL)]
)
def test_gravity(make_subject, offset, level):
    result = check_gravity(make_subject(source=Scaled((0, 0, offset, 0, 0, 0))))
    assert result.level is level
    assert result.found.startswith(f"{G + offset:.1f}"[:3])


def test_gravity_along_any_axis(make_subject):
    result = check_gravity(make_subject(source=Scaled((G * 0.6, -G * 0.8, -G, 0, 0, 0))))
    assert result.level is Level.OK
    assert "(+5.8" in result.found
    assert ", -7.8" in result.found


@pytest.mark.parametrize(
    ("dps", "level"), [(0.7, Level.OK), (-4.5, Level.OK), (6, Level.WARN), (-19, Level.WARN), (25, Level.FAIL)]
)
def test_gyro_bias(make_subject, dps, level):
    result = check_gyro_bias(make_subject(source=Scaled((0, 0, 0, 0, np.deg2rad(dps), 0))))
    assert result.level is level
    assert f"y {dps:+.1f}" in result.found


@pytest.mark.parametrize(
    ("celsius", "level"), [(25, Level.OK), (-20, Level.WARN), (70, Level.WARN), (120, Level.FAIL), (-60, Level.FAIL)]
)
def test_chip_temperature(make_subject, celsius, level):
    subject = make_subject()
    subject.imu.temperature_c = lambda: celsius
    assert check_chip_temperature(subject).level is level


def test_model_that_does_not_fit(make_subject, make_model, contract):
    subject = make_subject(model=make_model(contract=replace(contract, units=("g",) * 3 + ("dps",) * 3)))
    subject.engine  # noqa: B018 - loads it
    with pytest.raises(SensorError, match="units"):
        check_model_fit(subject)
    findings = {finding.check: finding.level for finding in run_checks(subject, CHECKS)}
    assert findings["model-fit"] is Level.FAIL
    assert findings["fifo-rate"] is Level.OK


def test_the_sensor_is_set_up_as_the_model_wants(make_subject, make_model, contract):
    subject = make_subject(model=make_model(contract=replace(contract, rate_hz=100.0, acc_full_scale_g=16.0)))
    findings = {finding.check: finding for finding in run_checks(subject, CHECKS)}
    assert "100 Hz, ±16 g" in findings["set-up"].found


@pytest.mark.parametrize(
    ("iron_ut", "level", "found"), [(0, Level.OK, "49.0 µT (+19.9"), (90, Level.WARN, "118.7 µT (+109.9")]
)
def test_the_field_of_a_chip_whose_magnetometer_is_read(make_subject, iron_ut, level, found):
    class Magnetised(RestingSource):
        def field_at(self, times_ns):
            return super().field_at(times_ns) + np.array([iron_ut, 0, 0])

    source = Magnetised(np.random.default_rng(2))
    subject = make_subject(source=source, sensor="icm20948", simulated_sensor="icm20948")
    subject.settings = subject.imu.configure(ImuConfig(50, 8, 1000, 400))
    result = check_field(subject)
    assert result.level is level
    assert found in result.found
    assert check_alive(subject).found == "all 9 channels show noise"
    assert {check_rest(subject).level, check_gyro_bias(subject).level, check_plausible(subject).level} == {Level.OK}


def test_a_model_of_six_channels_has_no_field_to_check(make_subject):
    assert check_field(make_subject()).found == "no magnetometer in use"


def test_a_chip_without_gyroscope_and_thermometer(make_subject):
    subject = make_subject(sensor="adxl345", simulated_sensor="adxl345")
    findings = {finding.check: finding for finding in run_checks(subject, CHECKS)}
    assert findings["set-up"].found == "adxl345 at 0x53: 50 Hz, ±8 g, no gyroscope, 25 Hz bandwidth"
    assert findings["alive"].found == "all 3 channels show noise"
    assert findings["at-rest"].level is findings["gravity"].level is Level.OK
    assert (findings["gyro-bias"].level, findings["gyro-bias"].found) == (Level.SKIP, "no gyroscope")
    assert findings["chip-temperature"].found == "the adxl345 has no thermometer"
    # The packaged model has six channels.
    assert findings["model-fit"].level is Level.FAIL
    assert findings["model-fit"].found == "adxl345: channels acc_x acc_y acc_z"
    assert findings["model-fit"].expected == "acc_x acc_y acc_z gyro_x gyro_y gyro_z"


@pytest.mark.parametrize(
    ("sensor", "response_g", "level"),
    [
        ("adxl345", {}, Level.OK),
        ("adxl345", {"self_test_g": (1.3, -1.3, 0.1)}, Level.FAIL),
        ("adxl345", {"self_test_g": (1.3, 1.3, 2.0)}, Level.FAIL),
        ("lis3dh", {}, Level.OK),
        ("lis3dh", {"self_test_g": (-0.6, 0.6, 0.05)}, Level.FAIL),
        ("bmi270", {}, Level.OK),
        ("bmi270", {"self_test_g": (9.0, -8.5, 4.0)}, Level.FAIL),
        # 15.5 g of change, of which the first axis needs 16 and the second 15.
        ("bmi270", {"self_test_g": (7.75, -7.75, 5.5)}, Level.FAIL),
        ("bmi270", {"self_test_g": (8.25, -7.75, 5.5)}, Level.OK),
        ("mpu6050", {}, Level.SKIP),
    ],
)
def test_self_test(make_subject, sensor, response_g, level):
    subject = make_subject(sensor=sensor, simulated_sensor=sensor, chip_options=response_g)
    assert check_self_test(subject).level is level
    # The sensor is as it was set up before.
    if level is Level.OK:
        assert check_fifo(subject).level is Level.OK
        assert check_gravity(subject).level is Level.OK
