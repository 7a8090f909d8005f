"""Suspected problems of recordings that are not errors: one line each, which says what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import COARSE_COUNT, SENSORS, STANDARD_GRAVITY, unit_of

from .acc_count import acc_count_of
from .label_oddities import WINDOW_S, alike_oddities, window_oddities
from .recording import Dataset, Recording, short_list
from .signal_oddities import signal_oddities

_GRAVITY_TOLERANCE = 0.05
_IN_G = (0.5, 2.0)
# The earth's, and as much again for iron that is near.
_FIELD_UT = (10.0, 130.0)
_FASTEST_GYRO = 2000 * np.pi / 180
_RATE_TOLERANCE = 0.005
_SLOWEST_HZ, _FASTEST_HZ = 5.0, 2000.0
_IMBALANCE = 5.0
_PLATEAU_SAMPLES = 3
# A little less than 2 g, 125 deg/s and 4 gauss: below, equal values are a coarse scale at rest and no saturation.
_LEAST_FULL_SCALE = {"acc": 1.9 * STANDARD_GRAVITY, "gyro": 120 * np.pi / 180, "mag": 390.0}


def unit_oddities(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """Signs that acceleration is in g, lacks gravity or has a wrong scale, or that another sensor has another unit."""
    return (*_gravity(recordings), *_fast_gyro(recordings), *_field(recordings))


def find_oddities(dataset: Dataset, window_s: float = WINDOW_S) -> tuple[str, ...]:
    """All oddities of a dataset, those from the reader first, each once; windows are ``window_s`` seconds long."""
    recordings = dataset.recordings
    coarse = acc_count_of(recordings) >= COARSE_COUNT
    found = (
        *dataset.oddities,
        *unit_oddities(recordings),
        *_rates(recordings),
        *_constant_channels(recordings, coarse),
        *_plateaus(recordings),
        *_lower_plateaus(recordings),
        *_duplicates(recordings),
        *signal_oddities(dataset, coarse),
        *_labels(dataset),
        *alike_oddities(dataset),
        *window_oddities(dataset, window_s),
    )
    return tuple(dict.fromkeys(found))


def _gravity(recordings: Sequence[Recording]) -> Iterator[str]:
    measured = [np.linalg.norm(axes, axis=1) for r in recordings if (axes := r.axes("acc")) is not None]
    if not measured:
        return
    norm = float(np.median(np.concatenate(measured)))
    if _IN_G[0] < norm < _IN_G[1]:
        yield (
            f"the median acceleration is {norm:.2f} m/s^2 where gravity alone is {STANDARD_GRAVITY:.2f}: "
            "if the values are in g, say so with --units g, or name the columns acc_x_g, acc_y_g, acc_z_g; "
            "if gravity was removed, posture cannot be recognised"
        )
    elif abs(norm / STANDARD_GRAVITY - 1) > _GRAVITY_TOLERANCE:
        yield (
            f"the median acceleration is {norm:.2f} m/s^2 where gravity alone is {STANDARD_GRAVITY:.2f}: "
            "check the unit and the sensor's full scale"
        )


def _fast_gyro(recordings: Sequence[Recording]) -> Iterator[str]:
    measured = [axes for r in recordings if (axes := r.axes("gyro")) is not None]
    if not measured:
        return
    fast = float(np.percentile(np.abs(np.concatenate(measured)), 99))
    if fast > _FASTEST_GYRO:
        yield (
            f"one angular rate in a hundred exceeds {fast:.0f} rad/s, beyond the {_FASTEST_GYRO:.0f} of a 2000 deg/s "
            "gyroscope: if the values are in deg/s, say so with --units, as m/s^2,dps, or name the columns gyro_x_dps, "
            "gyro_y_dps, gyro_z_dps"
        )


def _field(recordings: Sequence[Recording]) -> Iterator[str]:
    measured = [np.linalg.norm(axes, axis=1) for r in recordings if (axes := r.axes("mag")) is not None]
    if not measured:
        return
    norm = float(np.median(np.concatenate(measured)))
    if not _FIELD_UT[0] < norm < _FIELD_UT[1]:
        yield (
            f"the median magnetic field is {norm:.3g} uT where the earth's is 22 to 67: name the unit, as mag_x_nt or "
            "mag_x_gauss, or calibrate the magnetometer, which has iron beside it"
        )


def _rates(recordings: Sequence[Recording]) -> Iterator[str]:
    rates = [r.rate_hz for r in recordings]
    for r in recordings:
        if not _SLOWEST_HZ <= r.rate_hz <= _FASTEST_HZ:
            yield f"{r.rate_hz:g} Hz in {r.title} is no rate of such a sensor{_likely_unit(r.rate_hz)}"
            break
    if max(rates) / min(rates) - 1 > _RATE_TOLERANCE:
        yield f"sample rates differ, {min(rates):g} to {max(rates):g} Hz: windows are resampled to one rate"


def _likely_unit(rate_hz: float) -> str:
    """The unit of the time that would make a rate plausible, as it was taken for seconds."""
    for unit, factor in (("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if _SLOWEST_HZ <= rate_hz * factor <= _FASTEST_HZ:
            return f": {rate_hz * factor:g} Hz if the times are in {unit}, as --time-unit {unit} says"
    return ": check the times"


def _constant_channels(recordings: Sequence[Recording], coarse: bool) -> Iterator[str]:
    may_be_still = SENSORS["acc"].channels if coarse else ()
    for channel, name in enumerate(recordings[0].channels):
        if name in may_be_still:
            continue
        stuck = [r for r in recordings if len(r) > 1 and np.ptp(r.signals[:, channel]) == 0]
        if stuck:
            yield f"{name} is constant in {_named(stuck)}: check the sensor or leave the recordings out"


def _plateaus(recordings: Sequence[Recording]) -> Iterator[str]:
    """Saturation: three or more successive samples at the channel's largest magnitude in the whole dataset."""
    peaks = np.max([np.abs(r.signals).max(0, initial=0) for r in recordings], axis=0)
    for channel, name in enumerate(recordings[0].channels):
        if peaks[channel] == 0:
            continue
        flat = [r for r in recordings if _has_plateau(np.abs(r.signals[:, channel]) >= 0.9995 * peaks[channel])]
        flat = [r for r in flat if np.ptp(r.signals[:, channel]) > 0]
        if flat:
            peak, share = f"{peaks[channel]:.4g} {unit_of(name)}", _share(flat, channel, peaks[channel])
            yield (
                f"{name} stays at its largest value, {peak}, in {_named(flat)}, {share} of their samples: the sensor "
                "saturates, record with a larger full scale"
            )


def _lower_plateaus(recordings: Sequence[Recording]) -> Iterator[str]:
    """Saturation of some recordings below the largest value of all: sensors with a smaller full scale."""
    for channel, name in enumerate(recordings[0].channels):
        least = _LEAST_FULL_SCALE[name.partition("_")[0]]
        highest = max(float(np.abs(r.signals[:, channel]).max(initial=0)) for r in recordings)
        found = []
        for r in recordings:
            values = r.signals[:, channel]
            ends = [end for end in (float(values.max(initial=0)), float(values.min(initial=0))) if abs(end) >= least]
            clipped = [end for end in ends if abs(end) < 0.9 * highest and _plateaus_at(values, end) > 1]
            if clipped:
                found.append((r, max(map(abs, clipped))))
        if found:
            peak, where = f"{max(at for _, at in found):.4g} {unit_of(name)}", _named([r for r, _ in found])
            yield (
                f"{name} stops at {peak} in {where}, where others reach {highest:.4g}: a sensor "
                "with a smaller full scale saturates there, record all with the larger one"
            )


def _plateaus_at(values: NDArray[np.float32], end: float) -> int:
    """Stretches of three or more successive samples at a value."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (values == end).astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2] >= _PLATEAU_SAMPLES).sum())


def _share(recordings: Sequence[Recording], channel: int, peak: float) -> str:
    clipped = sum(int((np.abs(r.signals[:, channel]) >= 0.9995 * peak).sum()) for r in recordings)
    return f"{100 * clipped / sum(map(len, recordings)):.2g} %"


def _has_plateau(at_peak: NDArray[np.bool_]) -> bool:
    if at_peak.sum() < _PLATEAU_SAMPLES:
        return False
    return bool(np.convolve(at_peak, np.ones(_PLATEAU_SAMPLES, int), "valid").max() == _PLATEAU_SAMPLES)


def _duplicates(recordings: Sequence[Recording]) -> Iterator[str]:
    first: dict[bytes, Recording] = {}
    for recording in recordings:
        original = first.setdefault(hashlib.sha256(recording.signals.tobytes()).digest(), recording)
        if original is not recording:
            yield f"{recording.title} is a copy of {original.title}: leave one out, else it may be in two parts"


def _labels(dataset: Dataset) -> Iterator[str]:
    minutes = minutes_table(dataset)
    total = minutes[:, :-1].sum(0)
    if not total.sum():
        yield (
            "no sample is labelled: the recordings can be replayed, but not used for training; --label or --label-from "
            "names the labels, --segments takes them from a table, or deseptr data label gives some"
        )
        return
    for name, length in zip(dataset.label_names, total, strict=True):
        if not length:
            yield f"class {name} has no sample: leave it out of the labels or record some"
    present = total[total > 0]
    if present.max() / present.min() > _IMBALANCE:
        longest, shortest = (
            dataset.label_names[int(np.flatnonzero(total == v)[0])] for v in (present.max(), present.min())
        )
        yield f"classes are unbalanced: {present.max():.1f} min of {longest}, {present.min():.1f} min of {shortest}"
    for index, name in enumerate(dataset.label_names):
        lacking = [s for s, row in zip(dataset.subjects, minutes, strict=True) if total[index] and not row[index]]
        if lacking:
            yield f"{name} was not recorded by subject{'s' * (len(lacking) > 1)} {short_list(lacking)}"


def minutes_table(dataset: Dataset) -> NDArray[np.float64]:
    """Minutes recorded, ``[subject, label + 1]``; the last column is unlabelled time."""
    row = {subject: index for index, subject in enumerate(dataset.subjects)}
    table = np.zeros((len(row), len(dataset.label_names) + 1))
    for recording in dataset.recordings:
        counts = np.bincount(recording.labels % table.shape[1], minlength=table.shape[1])
        table[row[recording.subject]] += counts / recording.rate_hz / 60
    return table


def _named(recordings: Sequence[Recording]) -> str:
    where = short_list([f"({r.title})" for r in recordings])
    return f"{len(recordings)} recording{'s' * (len(recordings) > 1)} {where}"
