from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import SensorError
from deseptr.device.doctor import CHECKS, Level, examine
from deseptr.device.doctor.sensor_checks import (
    check_alive,
    check_chip_temperature,
    check_fifo,
    check_gravity,
    check_gyro_bias,
    check_model_fit,
    check_rest,
    check_set_up,
)
from deseptr.firmware_harness.simulator import AtRest, ConstantSource, Hang, Overflow, RateError, RegisterUpset

G = 9.80665


class Scaled(AtRest):
    """A sensor at rest whose signals are off."""

    def __init__(self, offset=(0,) * 6, shake=0.0):
        super().__init__(np.random.default_rng(2), (0, 0, 0))
        self._offset, self._shake = np.array(offset, float), shake

    def at(self, times_ns):
        return super().at(times_ns) + self._offset + self._shake * np.sin(times_ns[:, None] * 2e-9 * np.pi)


def test_set_up(make_patient, int8_model):
    patient = make_patient(model=int8_model)
    assert check_set_up(patient).found == "mpu6050 at 0x68: 50 Hz, ±8 g, ±1000 deg/s, 20 Hz bandwidth"
    upset = make_patient(faults=[RegisterUpset(at_s=100, register=0x1B, bit=4)])
    assert check_set_up(upset).level is Level.OK


@pytest.mark.parametrize(
    ("faults", "level", "found"),
    [
        ([], Level.OK, "50 nominal (-0.0%): a sample every 20.00 ms"),
        ([RateError(rate_error=0.03)], Level.OK, "50 nominal (+3.0%): a sample every 19.4"),
        ([RateError(rate_error=-0.07)], Level.WARN, "50 nominal (-7.0%): a sample every 21.5"),
        ([RateError(rate_error=0.4)], Level.FAIL, "50 nominal (+40.0%)"),
        ([Overflow(at_s=3, duration_s=3)], Level.WARN, "1 gaps ("),
        ([Hang(at_s=0.1)], Level.FAIL, "0 samples in 10.0 s"),
    ],
)
def test_fifo(make_patient, faults, level, found):
    verdict = check_fifo(make_patient(faults=faults))
    assert verdict.level is level
    assert found in verdict.found.replace("(+0.0%)", "(-0.0%)")


def test_how_long_it_samples(make_patient):
    assert "measured over 3.0 s" in check_fifo(make_patient(seconds=3)).found


def test_dead_axes_are_named(make_patient):
    verdict = check_alive(make_patient(source=ConstantSource([0, 0, G, 0, 0, 0])))
    assert verdict.level is Level.FAIL
    assert verdict.found.startswith("acc_x, acc_y, acc_z, gyro_x, gyro_y, gyro_z never changed in 50")
    assert check_alive(make_patient()).level is Level.OK


def test_a_sensor_that_moves_is_not_judged(make_patient):
    patient = make_patient(source=Scaled(shake=1.0))
    assert check_rest(patient).level is Level.WARN
    assert check_gravity(patient).found == check_gyro_bias(patient).found == "the sensor moved"
    assert check_rest(make_patient()).level is Level.OK


@pytest.mark.parametrize(
    ("offset", "level"), [(0.4, Level.OK), (-0.4, Level.OK), (0.7, Level.WARN), (-0.7, Level.WARN), (-5, Level.FAIL)]
)
def test_gravity(make_patient, offset, level):
    verdict = check_gravity(make_patient(source=Scaled((0, 0, offset, 0, 0, 0))))
    assert verdict.level is level
    assert verdict.found.startswith(f"{G + offset:.1f}"[:3])


def test_gravity_along_any_axis(make_patient):
    verdict = check_gravity(make_patient(source=Scaled((G * 0.6, -G * 0.8, -G, 0, 0, 0))))
    assert verdict.level is Level.OK
    assert "(+5.8" in verdict.found
    assert ", -7.8" in verdict.found


@pytest.mark.parametrize(
    ("dps", "level"), [(0.7, Level.OK), (-4.5, Level.OK), (6, Level.WARN), (-19, Level.WARN), (25, Level.FAIL)]
)
def test_gyro_bias(make_patient, dps, level):
    verdict = check_gyro_bias(make_patient(source=Scaled((0, 0, 0, 0, np.deg2rad(dps), 0))))
    assert verdict.level is level
    assert f"y {dps:+.1f}" in verdict.found


@pytest.mark.parametrize(
    ("celsius", "level"), [(25, Level.OK), (-20, Level.WARN), (70, Level.WARN), (120, Level.FAIL), (-60, Level.FAIL)]
)
def test_chip_temperature(make_patient, celsius, level):
    patient = make_patient()
    patient.imu.temperature_c = lambda: celsius
    assert check_chip_temperature(patient).level is level


def test_model_that_does_not_fit(make_patient, make_model, contract):
    patient = make_patient(model=make_model(contract=replace(contract, units=("g",) * 3 + ("dps",) * 3)))
    patient.engine  # noqa: B018 - loads it
    with pytest.raises(SensorError, match="units"):
        check_model_fit(patient)
    findings = {finding.check: finding.level for finding in examine(patient, CHECKS)}
    assert findings["model-fit"] is Level.FAIL
    assert findings["fifo-rate"] is Level.OK


def test_the_sensor_is_set_up_as_the_model_wants(make_patient, make_model, contract):
    patient = make_patient(model=make_model(contract=replace(contract, rate_hz=100.0, acc_full_scale_g=16.0)))
    findings = {finding.check: finding for finding in examine(patient, CHECKS)}
    assert "100 Hz, ±16 g" in findings["set-up"].found
