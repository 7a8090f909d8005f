"""This package's own format: int16 counts with their scale in one ``.npz`` file.

Arrays: ``signals`` int16 [N, C], ``scale`` and ``units`` and ``channels`` [C], ``recording_start`` [R + 1], ``subject``
and ``trial`` [R], ``label`` [N] (0 = unlabelled), ``activity_names``, ``rate_hz`` (one number, or one per recording)
and, if known, ``test_subjects`` and ``start_s`` [R] (see ``Recording.start_s``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import (
    ALL_CHANNELS,
    ArchiveError,
    DataError,
    atomic_path,
    channels_of,
    read_npz_arrays,
    sensors_of,
)

from . import motionsense
from .recording import UNLABELLED_NAME, Dataset, Recording
from .units import to_si

_REQUIRED = (
    "signals",
    "scale",
    "units",
    "channels",
    "recording_start",
    "subject",
    "trial",
    "label",
    "activity_names",
    "rate_hz",
)
_OPTIONAL = ("test_subjects", "start_s")
_KINDS = {"signals": "iuf", "scale": "iuf", "rate_hz": "iuf", "start_s": "iuf", "recording_start": "iu", "label": "iu"}
_COUNTS = 32767
_STEPS = {"acc": (2.5e-4, "g"), "gyro": (1e-3, "rad/s"), "mag": (0.05, "uT")}
"""One count of each sensor, and its unit."""

Arrays = dict[str, NDArray[Any]]


def read_npz(path: Path) -> Dataset:
    """Read a file in this package's format.

    Raises:
        DataError: if the file is broken, or if an array is missing or does not fit the others.
    """
    arrays = _load(path)
    _check(arrays, path)
    units = tuple(map(str, arrays["units"]))
    factor = arrays["scale"].astype(np.float64) * [to_si(unit, path) for unit in units]
    if not (np.isfinite(factor).all() and (factor > 0).all()):
        raise _misfit(path, f"scale {arrays['scale'].tolist()}", "a positive scale for each channel")
    names = tuple(map(str, arrays["activity_names"]))[1:]
    subjects = {str(subject) for subject in arrays["subject"]}
    official = tuple(map(str, np.atleast_1d(arrays.get("test_subjects", motionsense.test_subjects(names, subjects)))))
    return Dataset(
        tuple(_recordings(arrays, factor)),
        names,
        name=path.stem,
        original_units=units,
        test_subjects=tuple(subject for subject in official if subject in subjects),
    )


# The name of the first member follows the fixed part of its header in a zip archive.
ZIP_HEADER_BYTES = 30
NPZ_START = b"signals.npy"


def save_npz(dataset: Dataset, path: str | Path) -> None:
    """Write a dataset in this package's format, atomically.

    One count is 2.5e-4 g, 1e-3 rad/s or 0.05 uT, or more for a channel that would not fit into int16; rounding costs
    half a count.

    Raises:
        SetupError: if the folder cannot be written.
    """
    recordings = dataset.recordings
    steps = [_STEPS[channel.partition("_")[0]] for channel in dataset.channels]
    step = np.array([size for size, _ in steps])
    step_si = step * [to_si(unit, path) for _, unit in steps]
    peak = np.max([np.abs(r.signals).max(0, initial=0) for r in recordings], axis=0).astype(np.float64)
    scale = np.maximum(1.0, peak / (step_si * _COUNTS))
    counts = np.concatenate([np.rint(r.signals / (step_si * scale)) for r in recordings])
    labels = np.concatenate([r.labels for r in recordings]) + 1
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            signals=counts.clip(-_COUNTS, _COUNTS).astype(np.int16),
            scale=step * scale,
            units=np.array([unit for _, unit in steps]),
            channels=np.array(dataset.channels),
            recording_start=np.cumsum([0, *map(len, recordings)]),
            subject=_names([r.subject for r in recordings]),
            trial=_names([r.name for r in recordings]),
            label=labels.astype(np.int8 if len(dataset.label_names) < 128 else np.int16),
            activity_names=np.array([UNLABELLED_NAME, *dataset.label_names]),
            rate_hz=_one_or_all([r.rate_hz for r in recordings]),
            test_subjects=_names(dataset.test_subjects),
            start_s=np.array([r.start_s for r in recordings]),
        )


def _load(path: Path) -> Arrays:
    try:
        return read_npz_arrays(path, (*_REQUIRED, *_OPTIONAL))
    except ArchiveError as error:
        raise _misfit(path, f"a file that cannot be read ({error})", "a whole .npz file without pickles") from error


def _check(arrays: Arrays, path: Path) -> None:
    missing = [name for name in _REQUIRED if name not in arrays]
    if missing:
        raise _misfit(path, f"no array {', '.join(missing)}", f"the arrays {', '.join(_REQUIRED)}")
    for name, kinds in _KINDS.items():
        if name in arrays and arrays[name].dtype.kind not in kinds:
            raise _misfit(path, f"{name} of type {arrays[name].dtype}", "whole numbers" if kinds == "iu" else "numbers")
    _check_shapes(arrays, path)
    channels = _channels(arrays)
    if not channels or channels != channels_of(sensors_of(channels)):
        raise _misfit(
            path, f"channels {arrays['channels'].tolist()}", f"three of each sensor, as {', '.join(ALL_CHANNELS)}"
        )
    if not len(arrays["activity_names"]) or str(arrays["activity_names"][0]) != UNLABELLED_NAME:
        raise _misfit(path, "activity_names without it", f"{UNLABELLED_NAME!r} as the name of label 0")
    bounds, samples = arrays["recording_start"], len(arrays["label"])
    if bounds[0] != 0 or bounds[-1] != samples or (np.diff(bounds) <= 0).any():
        raise _misfit(path, "recording_start that does not partition the samples", f"rising from 0 to {samples}")
    least, most = arrays["label"].min(), arrays["label"].max()
    if least < -_COUNTS or most > _COUNTS:
        raise _misfit(path, f"labels {least} to {most}", f"0 to {len(arrays['activity_names']) - 1}")


def _check_shapes(arrays: Arrays, path: Path) -> None:
    samples, count, width = arrays["label"].size, arrays["subject"].size, arrays["channels"].size
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("scale", "units", "channels"), (width,))
    shapes |= dict.fromkeys(("subject", "trial", "start_s"), (count,))
    shapes |= {"label": (samples,), "signals": (samples, width), "recording_start": (count + 1,)}
    shapes |= {"activity_names": (arrays["activity_names"].size,)}
    shapes |= {"rate_hz": (count,) if arrays["rate_hz"].ndim else ()}
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise _misfit(path, f"{name} of shape {arrays[name].shape}", f"shape {shape}")


def _recordings(arrays: Arrays, factor: NDArray[np.float64]) -> list[Recording]:
    bounds = arrays["recording_start"].tolist()
    count = len(bounds) - 1
    rates = np.broadcast_to(arrays["rate_hz"], (count,))
    starts = arrays.get("start_s", np.zeros(count))
    channels = _channels(arrays)
    return [
        Recording(
            _float32(arrays["signals"][bounds[i] : bounds[i + 1]], factor),
            float(rates[i]),
            str(arrays["subject"][i]),
            arrays["label"][bounds[i] : bounds[i + 1]].astype(np.int16) - 1,
            str(arrays["trial"][i]),
            float(starts[i]),
            channels,
        )
        for i in range(count)
    ]


def _channels(arrays: Arrays) -> tuple[str, ...]:
    return tuple(map(str, arrays["channels"]))


def _float32(signals: NDArray[Any], factor: NDArray[np.float64]) -> NDArray[np.float32]:
    """Signals in SI units; a value beyond float32 becomes infinite, which a recording refuses by name."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray((signals * factor).astype(np.float32))


def _names(names: Any) -> NDArray[Any]:
    """Integers if every name is an integer in its usual spelling, as the format requires, else strings."""
    numbers = all(name.isdecimal() and str(int(name)) == name and int(name) < 2**15 for name in names)
    return np.array(names, np.int16) if numbers else np.array(names, np.str_)


def _one_or_all(rates: list[float]) -> NDArray[np.float64]:
    return np.array(rates[0] if len(set(rates)) == 1 else rates)


def _misfit(path: Path, found: str, expected: str) -> DataError:
    return DataError(path, found=found, expected=expected, next_step="write it again, as with `deseptr data convert`")
