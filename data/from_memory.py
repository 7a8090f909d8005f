"""Datasets from arrays and data frames in memory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, SENSORS, DataError, channels_of, scratch_folder
from deseptr.contract.counts import counted

from .csv_file import read_csv
from .csv_table import TIME_FACTORS
from .recording import UNLABELLED, Dataset, Recording, check_channels, natural_sorted


def dataset_from_arrays(
    signals: Any,
    labels: Any,
    subjects: Any,
    rate_hz: float,
    name: str = "arrays",
    channels: tuple[str, ...] = CHANNELS,
) -> Dataset:
    """See :meth:`deseptr.data.Dataset.from_arrays`."""
    _checked_rate(rate_hz)
    if set(channels) <= SENSORS.keys():
        channels = channels_of(channels)
    check_channels(channels, name)
    pieces = list(_pieces(signals, labels, subjects, channels))
    names = natural_sorted({label for _, of_samples, _ in pieces for label in of_samples if label is not None})
    index = {label: position for position, label in enumerate(names)} | {None: UNLABELLED}
    counts: dict[str, int] = {}
    recordings = []
    for samples, of_samples, subject in pieces:
        counts[subject] = counts.get(subject, 0) + 1
        numbers = np.fromiter((index[label] for label in of_samples), np.int16, len(of_samples))
        recordings.append(Recording(samples, rate_hz, subject, numbers, str(counts[subject]), channels=channels))
    return Dataset(tuple(recordings), names, name)


def dataset_from_dataframe(frame: Any, rate_hz: float | None = None, name: str = "dataframe") -> Dataset:
    """See :meth:`deseptr.data.Dataset.from_dataframe`."""
    _check_frame(frame, rate_hz, name)
    if rate_hz is not None:
        frame = _with_time(frame, _checked_rate(rate_hz))
    with scratch_folder() as folder:
        path = folder / "frame.csv"
        frame.to_csv(path, index=False)
        try:
            return replace(read_csv(path), name=name)
        except DataError as error:
            raise _of_frame(error, str(path), name) from None


def _check_frame(frame: Any, rate_hz: float | None, name: str) -> None:
    if not (hasattr(frame, "to_csv") and hasattr(frame, "columns")):
        raise DataError(
            name,
            found=f"a {type(frame).__name__}",
            expected="a pandas data frame",
            next_step="read files with deseptr.load(path); of arrays make one with Dataset.from_arrays",
        )
    times = [column for column in frame.columns if column in TIME_FACTORS]
    if times and rate_hz is not None:
        raise DataError(
            name,
            found=f"a column {times[0]} and rate_hz={rate_hz}",
            expected="one of the two",
            next_step=f"leave rate_hz out, or drop the column {times[0]}",
        )
    for column in times:
        if frame[column].dtype.kind in "mM":
            raise DataError(
                f"{name}, column {column}",
                found="dates or durations",
                expected="numbers",
                next_step=f"make seconds: (frame.{column} - frame.{column}.iloc[0]).dt.total_seconds()",
            )


def _of_frame(error: DataError, path: str, name: str) -> DataError:
    """The error of the intermediate file in terms of the frame: no file name, rows as counted by ``iloc``."""
    row = re.compile(r", line (\d+)")
    untimed = "no column t (" in error.found
    return DataError(
        row.sub(lambda line: f", row {int(line[1]) - 2} (counted from 0)", error.thing.replace(path, name)),
        found="no value (NaN)" if error.found == "''" else error.found,
        expected=error.expected.replace(", separated by commas", ""),
        next_step=("pass rate_hz=…, or " if untimed else "") + error.next_step.replace("the file", "the frame"),
    )


def _with_time(frame: Any, rate_hz: float) -> Any:
    """The frame with a column ``t`` that starts again in every recording of every subject."""
    groups = [column for column in ("subject", "recording") if column in frame.columns]
    rows = frame.groupby(groups, sort=False).cumcount() if groups else np.arange(len(frame))
    return frame.assign(t=rows / rate_hz)


def _checked_rate(rate_hz: Any) -> float:
    if not isinstance(rate_hz, Real) or not 0 < float(rate_hz) < math.inf:
        raise DataError(
            "rate_hz", found=repr(rate_hz), expected="a positive number of Hz", next_step="correct the rate"
        )
    return float(rate_hz)


Piece = tuple[NDArray[np.float32], list[str | None], str]


def _pieces(signals: Any, labels: Any, subjects: Any, channels: tuple[str, ...]) -> Iterator[Piece]:
    """Samples, one label per sample and the subject of each recording."""
    if hasattr(signals, "columns"):
        raise DataError(
            "from_arrays: signals",
            found=f"a {type(signals).__name__}",
            expected=f"arrays [sample, {len(channels)}] in SI units",
            next_step="use Dataset.from_dataframe, which takes units from the names of columns",
        )
    if isinstance(signals, np.ndarray) and signals.ndim == 2:
        yield from _cut_by_subject(signals, labels, subjects, channels)
        return
    count = len(signals)
    subjects = [subjects] * count if isinstance(subjects, str | Real) else subjects
    labels = [labels] * count if labels is None or isinstance(labels, str | Real) else labels
    if not len(labels) == len(subjects) == count:
        raise DataError(
            "from_arrays",
            found=f"{counted(count, 'recording')}, {counted(len(labels), 'label')} and "
            f"{counted(len(subjects), 'subject')}",
            expected="as many of each",
            next_step="pass one subject per recording, and one label or a list of labels per recording",
        )
    for number, (samples, label, subject) in enumerate(zip(signals, labels, subjects, strict=True)):
        samples = _checked(samples, f"recording {number}", channels)
        yield samples, _each(label, len(samples), f"recording {number}"), str(subject)


def _cut_by_subject(signals: NDArray[Any], labels: Any, subjects: Any, channels: tuple[str, ...]) -> Iterator[Piece]:
    samples = _checked(signals, "signals", channels)
    of_samples = _each(labels, len(samples), "labels")
    of_subjects = [str(name) for name in _each(subjects, len(samples), "subjects")]
    edges = [row for row in range(1, len(samples)) if of_subjects[row] != of_subjects[row - 1]]
    for start, stop in pairwise([0, *edges, len(samples)]):
        if stop > start:
            yield samples[start:stop], of_samples[start:stop], of_subjects[start]


def _checked(samples: Any, thing: str, channels: tuple[str, ...]) -> NDArray[np.float32]:
    expected = f"[sample, {len(channels)}]: {', '.join(channels)}"
    try:
        array = np.asarray(samples, np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"from_arrays: {thing}",
            found=f"values that are no numbers ({error})",
            expected=expected,
            next_step="pass the channels alone",
        ) from error
    if array.ndim != 2 or array.shape[1] != len(channels):
        raise DataError(
            f"from_arrays: {thing}",
            found=f"shape {array.shape}",
            expected=expected,
            next_step="put the samples along the first axis and the channels along the second, and name those that "
            "there are with channels=[…]",
        )
    return array


def _each(value: Any, count: int, thing: str) -> list[str | None]:
    """One name per sample, from a single name for all samples or a sequence of names."""
    if value is None or isinstance(value, str | Real):
        return [_name(value)] * count
    names: Sequence[Any] = list(value)
    if len(names) != count:
        raise DataError(
            f"from_arrays: {thing}",
            found=counted(len(names), "name"),
            expected=f"{count}, one per sample",
            next_step="pass one name for all samples, or one per sample",
        )
    return [_name(name) for name in names]


def _name(value: Any) -> str | None:
    """A name as text; None, NaN and ``pandas.NA`` stand for a missing one."""
    missing = value is None or (isinstance(value, Real) and math.isnan(value)) or type(value).__name__ == "NAType"
    return None if missing else str(value)
