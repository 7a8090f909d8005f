"""Does the sensor sample at its rate, without losing anything, and does what it says at rest make sense?

The limits are those of cheap parts in order: the MPU-6050's zero-rate output may be off by 20 deg/s (PS-MPU-6000A rev
3.4, table 6.1) and its zero-g output by 80 mg; a model trained on other wearers' sensors takes a few of either.
"""

from __future__ import annotations

import numpy as np

from deseptr.contract import CHANNELS
from deseptr.device.contract_check import check_fit
from deseptr.device.drivers.imu import STANDARD_GRAVITY
from deseptr.device.stream.stream import SampleStream

from .finding import Verdict, fail, ok, skip, warn
from .sampling import Sampling
from .subject import Patient

RATE_OFF = 0.05
# No oscillator is that far off its datasheet.
RATE_STRANGE = 0.25
JITTER_SAMPLES = 2.0
# Standard deviations at rest, m/s^2 and rad/s: several times the noise of the chips, less than a hand's tremor.
REST_ACC, REST_GYRO = 0.2, 0.05
GRAVITY_OFF, GRAVITY_STRANGE = 0.5, 2.0
BIAS_DPS, BIAS_STRANGE_DPS = 5.0, 20.0
# What is sold for people works from -40 to 85; what is worn is warmer than a cellar and cooler than a stove.
TEMPERATURE_C, TEMPERATURE_STRANGE_C = (-10.0, 60.0), (-40.0, 85.0)


def check_set_up(patient: Patient) -> Verdict:
    """Whether the sensor takes its settings."""
    imu, settings = patient.imu, patient.settings
    return ok(
        f"{imu.name} at 0x{imu.address:02x}: {settings.rate_hz:g} Hz, ±{settings.acc_full_scale_g:g} g, "
        f"±{settings.gyro_full_scale_dps:g} deg/s, {settings.bandwidth_hz:g} Hz bandwidth"
    )


def check_fifo(patient: Patient) -> Verdict:
    """The measured rate, its steadiness, and what was lost."""
    sampling = patient.sampling
    count, nominal = len(sampling.signals), sampling.nominal_hz
    if count < 2:
        return fail(
            f"{count} samples in {sampling.seconds:.1f} s", f"{nominal:g} a second", "check the sensor's power supply"
        )
    found = _rates(sampling)
    off = abs(sampling.rate_hz / nominal - 1)
    if off > RATE_STRANGE:
        return fail(
            found, f"{nominal:g} Hz within {RATE_STRANGE:.0%}", "fit another sensor; no oscillator is so far off"
        )
    if sampling.gaps:
        step = "end what else uses the bus or the processor, and run again; check the wiring if it stays"
        return warn(found, "no gap", step)
    if sampling.jitter_samples > JITTER_SAMPLES:
        return warn(found, f"within {JITTER_SAMPLES:g} samples of a steady rate", "run again on an idle machine")
    if off > RATE_OFF:
        step = "nothing: runs and recordings use the measured rate"
        return warn(found, f"{nominal:g} Hz within {RATE_OFF:.0%}", step)
    return ok(found)


def _rates(sampling: Sampling) -> str:
    rate, nominal = sampling.rate_hz, sampling.nominal_hz
    lost = f", {len(sampling.gaps)} gaps ({sampling.lost_samples} samples lost)" if sampling.gaps else ", no gap"
    return (
        f"{rate:.2f} ± {rate * sampling.rate_spread:.2f} Hz measured over {sampling.seconds:.1f} s, "
        f"{nominal:g} nominal ({rate / nominal - 1:+.1%}): a sample every {1000 / rate:.2f} ms, "
        f"within {sampling.jitter_samples:.1f} samples of steady{lost}; "
        f"host polls up to {sampling.late_s * 1000:.1f} ms late"
    )


def check_alive(patient: Patient) -> Verdict:
    """Whether every channel has the noise that a working sensor has."""
    signals = patient.sampling.signals
    stuck = [name for name, spread in zip(CHANNELS, np.ptp(signals, axis=0), strict=True) if spread == 0]
    if stuck:
        step = "fit another sensor; one that is alive shows noise in every channel"
        return fail(f"{', '.join(stuck)} never changed in {len(signals)} samples", "noise in every channel", step)
    return ok("all six channels show noise")


def check_rest(patient: Patient) -> Verdict:
    """Whether the sensor was held still, without which gravity and bias say nothing."""
    acc, gyro = _noise(patient.sampling)
    found = f"deviation {acc:.3f} m/s² and {np.rad2deg(gyro):.2f} deg/s at most"
    if still(patient.sampling):
        return ok(found)
    expected = f"below {REST_ACC:g} m/s² and {np.rad2deg(REST_GYRO):.1f} deg/s"
    return warn(found, expected, "lay the sensor down, leave it alone, and run again")


def check_gravity(patient: Patient) -> Verdict:
    """The mean acceleration's norm against gravity."""
    if not still(patient.sampling):
        return skip("the sensor moved")
    mean = patient.sampling.signals[:, :3].mean(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(mean))
    found = f"{norm:.2f} m/s² ({', '.join(f'{value:+.2f}' for value in mean)})"
    off = abs(norm - STANDARD_GRAVITY)
    expected = f"{STANDARD_GRAVITY:.2f} within {GRAVITY_OFF:g}"
    if off > GRAVITY_STRANGE:
        return fail(found, expected, "fit another sensor; a clone may have another scale than its datasheet")
    if off > GRAVITY_OFF:
        return warn(found, expected, "try the sensor's other sides up; if it stays, train with recordings of this one")
    return ok(found)


def check_gyro_bias(patient: Patient) -> Verdict:
    """What the gyroscope says when nothing turns."""
    if not still(patient.sampling):
        return skip("the sensor moved")
    bias = np.rad2deg(patient.sampling.signals[:, 3:].mean(axis=0, dtype=np.float64))
    found = ", ".join(f"{axis} {value:+.2f}" for axis, value in zip("xyz", bias, strict=True)) + " deg/s"
    largest = float(np.abs(bias).max())
    expected = f"within ±{BIAS_DPS:g} deg/s"
    if largest > BIAS_STRANGE_DPS:
        return fail(found, expected, "fit another sensor; this is beyond any datasheet")
    if largest > BIAS_DPS:
        return warn(found, expected, "let it warm up and run again; if it stays, train with recordings of this sensor")
    return ok(found)


def check_chip_temperature(patient: Patient) -> Verdict:
    """The chip's own thermometer."""
    celsius = patient.sampling.temperature_c
    found = f"{celsius:.1f} °C"
    low, high = TEMPERATURE_C
    expected = f"{low:g} to {high:g} °C"
    if not TEMPERATURE_STRANGE_C[0] <= celsius <= TEMPERATURE_STRANGE_C[1]:
        return fail(found, expected, "fit another sensor, or let it cool down")
    if not low <= celsius <= high:
        return warn(found, expected, "keep it away from the processor; bias drifts with temperature")
    return ok(found)


def check_model_fit(patient: Patient) -> Verdict:
    """Whether the sensor as it was set up suits the model, or can be made to by resampling."""
    contract, settings, name = patient.engine.contract, patient.settings, patient.imu.name
    check_fit(name, settings, contract)
    stream = SampleStream(contract, settings.rate_hz, name)
    rate = f"{settings.rate_hz:g} Hz, resampled to {contract.rate_hz:g}" if stream.resampled else "the rate"
    return ok(f"{name} gives {rate}, channels and full scales of {contract.model}")


def still(sampling: Sampling) -> bool:
    """Whether a sensor was at rest."""
    acc, gyro = _noise(sampling)
    return acc <= REST_ACC and gyro <= REST_GYRO


def _noise(sampling: Sampling) -> tuple[float, float]:
    """Largest standard deviation of an acceleration and of an angular rate."""
    deviations = sampling.signals.std(axis=0, dtype=np.float64)
    return float(deviations[:3].max()), float(deviations[3:].max())
