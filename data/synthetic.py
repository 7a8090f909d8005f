"""Recordings of synthetic wearers: a learning task without download, reproducible from a seed on every machine.

The phone is in the front trouser pocket and the labels are those of MotionSense. Acceleration is the specific force,
+1 g along the axis that points up, as chips report it; iOS reports the opposite sign. A magnetometer, if asked for,
sees the earth's field alone, without iron in walls and floors; each trial faces another direction.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ALL_CHANNELS, CHANNELS, DataError
from deseptr.contract.input_files import LARGEST_INTEGER
from deseptr.contract.limits import Limits

from .earth_field import EarthField
from .recording import UNLABELLED, Dataset, Recording
from .rigid_body import Motion, thigh_field, thigh_readings
from .wearer import LABELS, Wearer, draw_mount, draw_wearer, move

MOST_SUBJECTS = 1_000_000
# 46 hours at 100 Hz, as float32 400 MB; a recording is made at up to 200 Hz and in float64 first.
MOST_SAMPLES = 2**24
_INNER_RATE_HZ = 200.0
_ACC_NOISE, _GYRO_NOISE = 0.04, 0.006
_ACC_BIAS, _GYRO_BIAS = 0.08, 0.015
# Microtesla: noise of a reading, and what calibration leaves of the phone's own iron.
_MAG_NOISE, _MAG_BIAS = 0.6, 1.5
_TRANSITION_S = 2.0
_DAY = ("standing", "walking", "upstairs", "walking", "downstairs", "jogging", "sitting")
_DAY_STREAM = 1000
_STRETCH_STREAM = 2000
_FIELD_STREAM = 3000


def synthetic_dataset(
    subjects: int = 12, seconds: float = 60.0, seed: int = 1, rate_hz: float = 50.0, magnetometer: bool = False
) -> Dataset:
    """Simulate synthetic wearers, one recording of each activity per wearer.

    Subject k does not depend on the number of subjects. The last quarter of the subjects is held out for test.

    Args:
        subjects: number of subjects, named 1, 2, and so on.
        seconds: length of each recording.
        seed: seed of all random numbers.
        rate_hz: sample rate.
        magnetometer: whether the phone has one; the other six channels are the same with and without it.

    Raises:
        DataError: if a number is not positive or a recording would have fewer than two samples.

    >>> dataset = synthetic_dataset(subjects=2, seconds=4)
    >>> len(dataset.recordings), dataset.test_subjects
    (12, ('2',))
    """
    _check(subjects, seconds, rate_hz, seed)
    total = subjects * len(LABELS) * seconds * rate_hz
    if total > MOST_SAMPLES:
        raise DataError(
            "synthetic",
            found=f"{total:,.0f} samples in all",
            expected=f"at most {MOST_SAMPLES:,}",
            next_step="choose fewer subjects or seconds, or a lower rate",
        )
    recordings = [
        _trial(subject, index, activity, seconds, seed, rate_hz, magnetometer=magnetometer)
        for subject in range(1, subjects + 1)
        for index, activity in enumerate(LABELS)
    ]
    held_out = max(1, subjects // 4) if subjects > 1 else 0
    return Dataset(
        tuple(recordings),
        LABELS,
        name="synthetic",
        test_subjects=tuple(str(subject) for subject in range(subjects - held_out + 1, subjects + 1)),
    )


def synthetic_day(
    subject: int | str = 1, seed: int = 1, rate_hz: float = 50.0, seconds: float = 20.0, magnetometer: bool = False
) -> Recording:
    """One continuous recording of a wearer with all activities, for streaming.

    Args:
        subject: a number from 1; the same person as in :func:`synthetic_dataset`, in another trial.
        seed: seed of the dataset.
        rate_hz: sample rate.
        seconds: length of each activity; the transitions of two seconds between them are unlabelled.
        magnetometer: whether the phone has one.

    Returns:
        A recording whose labels index ``LABELS``.

    Raises:
        DataError: if a number is not positive.
    """
    number = _number(str(subject))
    _check(number, seconds, rate_hz, seed)
    wearer, rng = _wearer(number, seed), np.random.default_rng([seed, number, _DAY_STREAM])
    inner = _oversampling(rate_hz)
    stay, cross = round(seconds * rate_hz), round(_TRANSITION_S * rate_hz)
    parts = [move(wearer, activity, (stay + 2 * cross) * inner, rate_hz * inner, rng).stack() for activity in _DAY]
    motion = Motion.unstack(_crossfaded(parts, cross * inner))
    field_rng = np.random.default_rng([seed, number, _DAY_STREAM, _FIELD_STREAM]) if magnetometer else None
    signals = _readings(wearer, motion, rate_hz, rng, field_rng)
    labels = np.full(len(signals), UNLABELLED, np.int16)
    for index, activity in enumerate(_DAY):
        start = cross + index * (stay + cross)
        labels[start : start + stay] = LABELS.index(activity)
    return Recording(signals, rate_hz, str(number), labels, "day", channels=_channels(magnetometer))


def synthetic_stretch(
    subject: int,
    number: int,
    seed: int = 1,
    rate_hz: float = 50.0,
    seconds: float = 20.0,
    magnetometer: bool = False,
) -> Recording:
    """Stretch ``number`` of an endless sequence: one random activity, always the same for the same arguments.

    Args:
        subject: a number from 1; the same person as in :func:`synthetic_dataset`, in another trial.
        number: number of the stretch, from 0.
        seed: seed of the dataset.
        rate_hz: sample rate.
        seconds: length of the stretch.
        magnetometer: whether the phone has one.

    Raises:
        DataError: if a number is not positive.
    """
    _check(subject, seconds, rate_hz, seed)
    index = int(np.random.default_rng([seed, subject, _STRETCH_STREAM, number]).integers(len(LABELS)))
    stream = _STRETCH_STREAM + len(LABELS) * number + index
    return _trial(subject, index, LABELS[index], seconds, seed, rate_hz, stream, magnetometer)


def synthetic_from_text(text: str) -> Dataset:
    """The dataset described by ``synthetic`` or ``synthetic:subjects=12,seconds=60,seed=1,rate_hz=50,mag=0``.

    Raises:
        DataError: if an option is unknown or not a number.
    """
    kinds: dict[str, Callable[[str], int | float]] = {
        "subjects": int,
        "seconds": float,
        "seed": int,
        "rate_hz": float,
        "mag": _switch,
    }
    options: dict[str, int | float] = {}
    for entry in filter(None, text.partition(":")[2].split(",")):
        name, _, value = entry.partition("=")
        try:
            options[name] = kinds[name](value)
        except (KeyError, ValueError):
            raise DataError(
                text,
                found=f"the option {entry!r}",
                expected=f"numbers for some of {', '.join(kinds)}",
                next_step="write it as synthetic:subjects=12,seconds=60",
            ) from None
    magnetometer = bool(options.pop("mag", False))
    return synthetic_dataset(magnetometer=magnetometer, **options)  # type: ignore[arg-type]


def _switch(text: str) -> int:
    return ("0", "1").index(text)


def _channels(magnetometer: bool) -> tuple[str, ...]:
    return ALL_CHANNELS if magnetometer else CHANNELS


def _wearer(subject: int, seed: int) -> Wearer:
    return draw_wearer(np.random.default_rng([seed, subject]))


def _trial(
    subject: int,
    index: int,
    activity: str,
    seconds: float,
    seed: int,
    rate_hz: float,
    stream: int | None = None,
    magnetometer: bool = False,
) -> Recording:
    wearer = _wearer(subject, seed)
    own = index if stream is None else stream
    rng = np.random.default_rng([seed, subject, own])
    field_rng = np.random.default_rng([seed, subject, own, _FIELD_STREAM]) if magnetometer else None
    inner, count = _oversampling(rate_hz), round(seconds * rate_hz)
    motion = move(wearer, activity, count * inner, rate_hz * inner, rng)
    signals = _readings(wearer, motion, rate_hz, rng, field_rng)
    labels = np.full(count, index, np.int16)
    return Recording(signals, rate_hz, str(subject), labels, str(index + 1), channels=_channels(magnetometer))


def _readings(
    wearer: Wearer,
    motion: Motion,
    rate_hz: float,
    rng: np.random.Generator,
    field_rng: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """Readings of the phone's sensors: rotated to its axes, averaged to the sample rate, with bias and noise."""
    inner = _oversampling(rate_hz)
    thigh = thigh_readings(motion, rate_hz * inner, wearer.lever)
    mount = draw_mount(wearer, rng)
    phone = np.hstack([thigh[:, :3] @ mount.T, thigh[:, 3:] @ mount.T])
    sampled = phone.reshape(-1, inner, 6).mean(1)
    bias = rng.standard_normal(6) * ([_ACC_BIAS] * 3 + [_GYRO_BIAS] * 3)
    noise = rng.standard_normal(sampled.shape) * ([_ACC_NOISE] * 3 + [_GYRO_NOISE] * 3)
    readings = np.asarray(sampled + bias + noise, np.float32)
    if field_rng is None:
        return readings
    return np.hstack([readings, _field(motion, mount, inner, field_rng)])


def _field(motion: Motion, mount: NDArray[np.float64], inner: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Readings of the phone's magnetometer ``[sample, 3]``, microtesla; the trial faces a random direction."""
    field = EarthField(north_deg=rng.uniform(0, 360)).vector()
    sampled = (thigh_field(motion, field) @ mount.T).reshape(-1, inner, 3).mean(1)
    bias = rng.normal(0, _MAG_BIAS, 3)
    return np.asarray(sampled + bias + rng.normal(0, _MAG_NOISE, sampled.shape), np.float32)


def _crossfaded(parts: list[NDArray[np.float64]], overlap: int) -> NDArray[np.float64]:
    """Join motions with cross-fades of ``overlap`` samples."""
    fade = (0.5 - 0.5 * np.cos(np.pi * (np.arange(overlap) + 0.5) / overlap))[:, None]
    joined = parts[0]
    for part in parts[1:]:
        crossing = joined[-overlap:] * (1 - fade) + part[:overlap] * fade
        joined = np.concatenate([joined[:-overlap], crossing, part[overlap:]])
    return joined


def _oversampling(rate_hz: float) -> int:
    return max(1, int(np.ceil(_INNER_RATE_HZ / rate_hz)))


def _number(subject: str) -> int:
    if not subject.isdecimal():
        raise DataError(
            f"synthetic subject {subject}", found="no number", expected="1, 2, …", next_step="choose a number"
        )
    return int(subject)


def _check(subjects: int, seconds: float, rate_hz: float, seed: int) -> None:
    for name, value, limits in (
        ("subjects", subjects, Limits(1, MOST_SUBJECTS, whole=True)),
        ("seed", seed, Limits(0, LARGEST_INTEGER, whole=True)),
        ("rate_hz", rate_hz, Limits(1, 10_000)),
        ("samples per recording", seconds * rate_hz, Limits(2, MOST_SAMPLES)),
    ):
        if not limits.allow(value):
            raise DataError(
                f"synthetic: {name}", found=value, expected=limits, next_step="choose a number in this range"
            )
