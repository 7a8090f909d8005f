"""Checks of the sensor: settings, rate, losses, and the plausibility of its signals at rest.

The limits are those of cheap parts in good order: the MPU-6050's zero-rate output may be off by 20 deg/s (PS-MPU-6000A
rev 3.4, table 6.1) and its zero-g output by 80 mg; a model trained on other sensors tolerates a few deg/s and mg.
"""

from __future__ import annotations

import numpy as np

from deseptr.contract import AS_TRAINED, COARSE_COUNT, columns_of
from deseptr.contract.counts import counted
from deseptr.device.contract_check import check_fit
from deseptr.device.drivers.imu import STANDARD_GRAVITY
from deseptr.device.mounting.estimator import MountingEstimator
from deseptr.device.plausibility import FINDINGS, LEAST_S, Plausibility
from deseptr.device.stream.stream import SampleStream
from deseptr.device.stream.windows import WindowAssembler

from .finding import CheckResult, fail, ok, skip, warn
from .sampling import Sampling
from .subject import Subject

RATE_WARN = 0.05
# No oscillator is further off its datasheet.
RATE_FAIL = 0.25
JITTER_SAMPLES = 2.0
# Standard deviations at rest, m/s^2 and rad/s: several times the noise of the chips, less than a hand's tremor.
REST_ACC, REST_GYRO = 0.2, 0.05
GRAVITY_WARN, GRAVITY_FAIL = 0.5, 2.0
BIAS_WARN_DPS, BIAS_FAIL_DPS = 5.0, 20.0
# Consumer parts work from -40 to 85 °C; a worn sensor stays within the narrower limits.
# The earth's, and a little more for what a board adds.
FIELD_UT = (20.0, 80.0)
TEMPERATURE_WARN_C, TEMPERATURE_FAIL_C = (-10.0, 60.0), (-40.0, 85.0)


def check_set_up(subject: Subject) -> CheckResult:
    """Whether the sensor accepts its settings."""
    imu, settings = subject.imu, subject.settings
    gyro = f"±{settings.gyro_full_scale_dps:g} deg/s" if settings.gyro_full_scale_dps else "no gyroscope"
    return ok(
        f"{imu.name} at 0x{imu.address:02x}: {settings.rate_hz:g} Hz, ±{settings.acc_full_scale_g:g} g, {gyro}, "
        f"{settings.bandwidth_hz:g} Hz bandwidth"
    )


def check_self_test(subject: Subject) -> CheckResult:
    """Whether the chip passes its self-test, if its driver has one; it is set up anew after it."""
    imu = subject.imu
    result = imu.self_test()
    if result is None:
        return skip(f"the driver of the {imu.name} has no self-test")
    imu.configure(subject.config)
    found = ", ".join(f"{axis} {change:+.2f}" for axis, change in zip("xyz", result.change_g, strict=True)) + " g"
    if result.passed:
        return ok(found)
    limits = zip("xyz", result.limits_g, strict=True)
    expected = ", ".join(f"{axis} {low:+.2f} to {high:+.2f}" for axis, (low, high) in limits) + " g"
    return fail(found, expected, "lay the sensor down and run again; if it fails again, fit another sensor")


def check_fifo(subject: Subject) -> CheckResult:
    """The measured rate, its jitter, and the losses."""
    sampling = subject.sampling
    count, nominal = len(sampling.signals), sampling.nominal_hz
    if count < 2:
        return fail(
            f"{counted(count, 'sample')} in {sampling.seconds:.1f} s",
            f"{nominal:g} a second",
            "check the sensor's power supply",
        )
    found = _rates(sampling)
    off = abs(sampling.rate_hz / nominal - 1)
    if off > RATE_FAIL:
        return fail(
            found, f"{nominal:g} Hz within {RATE_FAIL:.0%}", "fit another sensor; no oscillator is so far off its rate"
        )
    if sampling.gaps:
        step = "end other programs that use the bus or the processor, and run again; check the wiring if gaps remain"
        return warn(found, "no gap", step)
    if sampling.jitter_samples > JITTER_SAMPLES:
        return warn(found, f"within {JITTER_SAMPLES:g} samples of a steady rate", "run again on an idle machine")
    if off > RATE_WARN:
        step = "nothing: runs and recordings use the measured rate"
        return warn(found, f"{nominal:g} Hz within {RATE_WARN:.0%}", step)
    return ok(found)


def _rates(sampling: Sampling) -> str:
    rate, nominal = sampling.rate_hz, sampling.nominal_hz
    lost = (
        f", {counted(len(sampling.gaps), 'gap')} ({counted(sampling.lost_samples, 'sample')} lost)"
        if sampling.gaps
        else ", no gap"
    )
    return (
        f"{rate:.2f} ± {rate * sampling.rate_spread:.2f} Hz measured over {sampling.seconds:.1f} s, "
        f"{nominal:g} nominal ({rate / nominal - 1:+.1%}): a sample every {1000 / rate:.2f} ms, "
        f"within {sampling.jitter_samples:.1f} samples of a steady rate{lost}; "
        f"host polls up to {sampling.late_s * 1000:.1f} ms late"
    )


def check_alive(subject: Subject) -> CheckResult:
    """Whether every channel has the noise that a working sensor has."""
    signals = subject.sampling.signals
    stuck = [name for name, spread in zip(subject.imu.channels, np.ptp(signals, axis=0), strict=True) if spread == 0]
    count = subject.settings.acc_count
    if stuck and count >= COARSE_COUNT and all(name.startswith("acc_") for name in stuck):
        return ok(
            f"{', '.join(stuck)} kept one value: a count is {count:.2f} m/s², more than the noise at rest; "
            "line self-test tells whether the chip reacts"
        )
    if stuck:
        step = "fit another sensor; a working one shows noise in every channel"
        return fail(f"{', '.join(stuck)} never changed in {len(signals)} samples", "noise in every channel", step)
    return ok(f"all {signals.shape[1]} channels show noise")


def check_rest(subject: Subject) -> CheckResult:
    """Whether the sensor was at rest, as the checks of gravity and bias require."""
    acc, gyro = _noise(subject.sampling)
    rotates = "gyro_x" in subject.imu.channels
    found = f"deviation {acc:.3f} m/s²{f' and {np.rad2deg(gyro):.2f} deg/s' if rotates else ''} at most"
    if still(subject.sampling):
        return ok(found)
    expected = f"below {REST_ACC:g} m/s²{f' and {np.rad2deg(REST_GYRO):.1f} deg/s' if rotates else ''}"
    return warn(found, expected, "lay the sensor down, do not touch it, and run again")


def check_gravity(subject: Subject) -> CheckResult:
    """Norm of the mean acceleration against gravity."""
    if not still(subject.sampling):
        return skip("the sensor moved")
    mean = subject.sampling.signals[:, :3].mean(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(mean))
    found = f"{norm:.2f} m/s² ({', '.join(f'{value:+.2f}' for value in mean)})"
    off = abs(norm - STANDARD_GRAVITY)
    expected = f"{STANDARD_GRAVITY:.2f} within {GRAVITY_WARN:g}"
    if off > GRAVITY_FAIL:
        return fail(found, expected, "fit another sensor; a clone may have another scale than its datasheet")
    if off > GRAVITY_WARN:
        step = "repeat with other sides of the sensor up; if the error remains, train with recordings of this sensor"
        return warn(found, expected, step)
    return ok(found)


def check_plausible(subject: Subject) -> CheckResult:
    """Whether a run would refuse such samples as implausible, in windows of 2.5 s."""
    signals, rate_hz = subject.sampling.signals, subject.settings.rate_hz
    channels = subject.settings.channels
    windows = WindowAssembler(round(LEAST_S * rate_hz), round(LEAST_S * rate_hz), len(channels))
    judge = Plausibility(channels, rate_hz, windows.window_length, acc_count=subject.settings.acc_count)
    findings = [judge.judge(window) for window in windows.push(signals)]
    if not findings:
        return skip(f"fewer than {windows.window_length} samples")
    refused = [finding for finding in findings if finding is not None]
    if not refused:
        return ok(f"{counted(len(findings), 'window')} as a worn sensor gives them")
    meanings = "; ".join(f"{name}: {FINDINGS[name]}" for name in dict.fromkeys(refused))
    step = "see the lines above; a run has no label while this lasts"
    return fail(f"{len(refused)} of {counted(len(findings), 'window')} implausible ({meanings})", "none", step)


def check_mounting(subject: Subject) -> CheckResult:
    """Whether a worn sensor seems turned, compared with the wearers of the model's training."""
    contract, sampling = subject.engine.contract, subject.sampling
    if contract.mounting is None:
        return skip("the model does not know how the sensor was worn in training")
    if still(sampling):
        return skip("the sensor lay still; wear it, walk and sit, with --seconds 180, or see what `device run` says")
    estimator = MountingEstimator(contract.mounting, contract.channels)
    columns = columns_of(contract.channels, subject.settings.channels, subject.imu.name)
    length = round(contract.window_s * subject.settings.rate_hz)
    for start in range(0, len(sampling.signals) - length + 1, length):
        estimator.add(sampling.signals[start : start + length, columns])
    found = estimator.found()
    if not found.clear:
        return skip(f"not clear after {found.windows * contract.window_s:.0f} s; wear it for longer, walk and sit")
    if found.turns[0] == AS_TRAINED:
        return ok("as in training")
    step = f"mount it as in training, or run with --mounting {found.turns[0].name}"
    return warn(f"it seems {found}", "mounted as in training", step)


def check_gyro_bias(subject: Subject) -> CheckResult:
    """Output of the gyroscope at rest."""
    if "gyro_x" not in subject.imu.channels:
        return skip("no gyroscope")
    if not still(subject.sampling):
        return skip("the sensor moved")
    bias = np.rad2deg(subject.sampling.signals[:, 3:6].mean(axis=0, dtype=np.float64))
    found = ", ".join(f"{axis} {value:+.2f}" for axis, value in zip("xyz", bias, strict=True)) + " deg/s"
    largest = float(np.abs(bias).max())
    expected = f"within ±{BIAS_WARN_DPS:g} deg/s"
    if largest > BIAS_FAIL_DPS:
        return fail(found, expected, "fit another sensor; this is beyond any datasheet")
    if largest > BIAS_WARN_DPS:
        step = "let it warm up and run again; if the bias remains, train with recordings of this sensor"
        return warn(found, expected, step)
    return ok(found)


def check_field(subject: Subject) -> CheckResult:
    """Norm of the mean magnetic field against the earth's, if the model has the magnetometer read."""
    channels = subject.settings.channels
    if "mag_x" not in channels:
        return skip("no magnetometer in use")
    first = channels.index("mag_x")
    mean = subject.sampling.signals[:, first : first + 3].mean(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(mean))
    found = f"{norm:.1f} µT ({', '.join(f'{value:+.1f}' for value in mean)})"
    low, high = FIELD_UT
    if not low <= norm <= high:
        step = "take it away from magnets and iron; if the field remains, record and train with this board"
        return warn(found, f"{low:g} to {high:g} µT, as the earth's", step)
    return ok(found)


def check_chip_temperature(subject: Subject) -> CheckResult:
    """Temperature of the chip."""
    celsius = subject.sampling.temperature_c
    if celsius is None:
        return skip(f"the {subject.imu.name} has no thermometer")
    found = f"{celsius:.1f} °C"
    low, high = TEMPERATURE_WARN_C
    expected = f"{low:g} to {high:g} °C"
    if not TEMPERATURE_FAIL_C[0] <= celsius <= TEMPERATURE_FAIL_C[1]:
        return fail(found, expected, "fit another sensor, or let it cool down")
    if not low <= celsius <= high:
        return warn(found, expected, "keep it away from the processor; bias drifts with temperature")
    return ok(found)


def check_model_fit(subject: Subject) -> CheckResult:
    """Whether the sensor's settings fit the model, with resampling if needed."""
    contract, settings, name = subject.engine.contract, subject.settings, subject.imu.name
    check_fit(name, settings, contract)
    stream = SampleStream(contract, settings.rate_hz, name)
    rate = f"{settings.rate_hz:g} Hz, resampled to {contract.rate_hz:g}" if stream.resampled else "the rate"
    return ok(f"{name} has {rate}, channels and full scales of {contract.model}")


def still(sampling: Sampling) -> bool:
    """Whether a sensor was at rest."""
    acc, gyro = _noise(sampling)
    return acc <= REST_ACC and gyro <= REST_GYRO


def _noise(sampling: Sampling) -> tuple[float, float]:
    """Largest standard deviation of an acceleration and of an angular rate, 0 without a gyroscope."""
    deviations = sampling.signals.std(axis=0, dtype=np.float64)
    return float(deviations[:3].max()), float(deviations[3:6].max(initial=0.0))
