"""From recordings as an app or device stored them to a dataset, by the rules of CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, DataError, channels_of, columns_of, units_of

from .even_grid import Trial, even_recordings
from .label_oddities import alike_key, clean_name
from .quality import unit_oddities
from .read_options import ReadOptions, from_path
from .recording import LARGEST_SIGNAL, LATEST_S, UNLABELLED_NAME, Dataset, common_channels, natural_sorted
from .sample_times import set_back, usual_step
from .segments import label_trials
from .time_notes import TimeNotes

# Not that of a folder such as walk-1.5km.
_SUFFIX = re.compile(r"\.[a-zA-Z][a-zA-Z0-9]{1,4}$")


Stamped = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Times and values of one sensor."""


@dataclass(frozen=True, eq=False)
class Take:
    """One recording of an app or device, before its times are looked at.

    Args:
        path: of its file or folder inside the source, with ``/`` between folders.
        source: its name in messages.
        t: float64 ``[row]``, seconds.
        signals: float64 ``[row, channel]`` in SI units, NaN where a sensor has no value at that time.
        labels: one label for all rows or one a row, empty for none.
        subject: of the layout itself; None if it says none, and the path is the subject.
        name: the same for the recording.
        units: unit of each channel in the file, by default SI units.
        channels: their names.
    """

    path: str
    source: str
    t: NDArray[np.float64]
    signals: NDArray[np.float64]
    labels: str | Sequence[str] = ""
    subject: str | None = None
    name: str | None = None
    units: tuple[str, ...] = ()
    channels: tuple[str, ...] = CHANNELS

    def of_channels(self, wanted: tuple[str, ...]) -> Take:
        """The take with some of its channels only; with none wanted as it is, its units named.

        Raises:
            DataError: if it lacks one.
        """
        channels, units = wanted or self.channels, self.units or units_of(self.channels)
        columns = columns_of(channels, self.channels, self.source)
        own = self.signals if channels == self.channels else self.signals[:, columns]
        return replace(self, signals=own, units=tuple(units[column] for column in columns), channels=channels)


def dataset_of_takes(takes: Iterable[Take], name: str, options: ReadOptions, oddities: Sequence[str] = ()) -> Dataset:
    """Put takes on regular grids and name their labels, subjects and recordings as the choices say.

    Args:
        takes: in any order of time; each is a recording, and its times must rise but where a clock was set back.
        name: of the dataset.
        options: only those of :data:`.PATH_OPTIONS` are followed.
        oddities: what was found out before.

    Raises:
        DataError: if there is no take with two samples, times are in disorder, or a value is not finite.
    """
    notes = TimeNotes()
    spellings: dict[tuple[str, str], str] = {}
    trials: list[Trial] = []
    units: list[tuple[str, ...]] = []
    for take in (each.of_channels(options.wanted) for each in takes):
        trials += _trials(take, options, notes, spellings)
        units.append(take.units)
    trials, found_out = label_trials(trials, options.segments)
    label_names = natural_sorted({label for trial in trials for label in set(trial.labels)} - {"", UNLABELLED_NAME})
    if trials:
        common_channels([trial.channels for trial in trials], name)
    recordings = tuple(r for trial in trials for r in even_recordings(trial, label_names, notes, options.fill_gaps))
    if not recordings:
        raise DataError(
            name,
            found="no two samples without a gap",
            expected="recordings of acceleration, angular rate or both",
            next_step="record again",
        )
    said = (*oddities, *found_out, *notes.lines(), *unit_oddities(recordings))
    return Dataset(
        recordings,
        label_names,
        name=name,
        oddities=tuple(dict.fromkeys(said)),
        original_units=_united(units),
    )


def merged(
    acc: Stamped | None, gyro: Stamped | None, mag: Stamped | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Times, rows ``[row, channel]`` and channels of sensors with stamps of their own, NaN where one has no value.

    Args:
        acc: times float64 ``[row]`` in seconds and acceleration ``[row, 3]``; None if there is none.
        gyro: the same for angular rate, on the same clock.
        mag: the same for the magnetic field.

    >>> t = np.array([0.0, 0.02])
    >>> merged((t, np.ones((2, 3))), (t, np.zeros((2, 3))))[1].tolist()
    [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]
    >>> merged((t, np.ones((2, 3))), None)[2]
    ('acc_x', 'acc_y', 'acc_z')
    """
    present = {name: each for name, each in (("acc", acc), ("gyro", gyro), ("mag", mag)) if each is not None}
    if not present:
        raise ValueError("merged needs at least one sensor")
    channels = channels_of(present)
    times, values = zip(*present.values(), strict=True)
    if all(np.array_equal(each, times[0]) for each in times[1:]):
        return times[0], np.hstack(values), channels
    rows = np.full((sum(map(len, times)), len(channels)), np.nan)
    first = 0
    for place, own in enumerate(values):
        rows[first : first + len(own), 3 * place : 3 * place + 3] = own
        first += len(own)
    t = np.concatenate(times)
    order = np.argsort(t, kind="stable")
    return t[order], rows[order], channels


def units_in(channels: Sequence[str], acc: str, gyro: str, mag: str = "uT") -> tuple[str, ...]:
    """The unit of each channel in a file that has acceleration, angular rate and magnetic field in these.

    >>> units_in(channels_of(["gyro"]), "g", "dps")
    ('dps', 'dps', 'dps')
    """
    unit = {"acc": acc, "gyro": gyro, "mag": mag}
    return tuple(unit[channel.partition("_")[0]] for channel in channels)


def beside(
    acc: NDArray[np.floating[Any]] | None, gyro: NDArray[np.floating[Any]] | None
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Rows ``[row, channel]`` of the sensors of a device that may lack one of them, and the names of the channels.

    Args:
        acc: acceleration ``[row, 3]``, m/s^2.
        gyro: angular rate ``[row, 3]``, rad/s.

    >>> beside(np.ones((2, 3)), None)[1]
    ('acc_x', 'acc_y', 'acc_z')
    """
    present = {name: values for name, values in (("acc", acc), ("gyro", gyro)) if values is not None}
    return np.hstack([*present.values()]).astype(np.float64), channels_of(present)


def _trials(
    take: Take, options: ReadOptions, notes: TimeNotes, spellings: dict[tuple[str, str], str]
) -> Iterator[Trial]:
    """The take with its names; where a clock was set back, a recording ends and another begins."""
    path = PurePosixPath(take.path)
    stem = _SUFFIX.sub("", path.as_posix())
    subject = from_path(options.subject_from, path, "subject_from") or take.subject
    # Takes of one subject are recordings of their own.
    usual = stem if subject else "1"
    name = from_path(options.recording_from, path, "recording_from") or take.name or usual
    labels = options.label or from_path(options.label_from, path, "label_from") or take.labels
    each = [labels] * len(take.t) if isinstance(labels, str) else list(labels)
    clean = {label: _spelled("label", label, options, spellings) for label in set(each)}
    subject = _spelled("subject", subject or stem, options, spellings)
    name = _spelled("recording", name, options, spellings)
    _check_finite(take)
    begins = set_back(take.t)
    if begins is None or (len(take.t) > 1 and take.t[0] == take.t[-1] and not begins):
        raise DataError(
            take.source,
            found="times that go back again and again, or stand still",
            expected="time that increases within a recording",
            next_step="export the recording again",
        )
    for number, part in enumerate(np.split(np.arange(len(take.t)), begins), 1):
        own = f"{name}-{number}" if number > 1 else name
        if number > 1:
            back = take.t[begins[number - 2] - 1] + usual_step(take.t) - take.t[part[0]]
            notes.set_back.append(
                f"subject {subject}, trial {name}: the clock was set back by {back:.6g} s: "
                f"a recording ends there, and {own} begins"
            )
        rows = [clean[each[row]] for row in part]
        yield Trial(subject, own, take.t[part], take.signals[part], rows, take.source, take.channels)


def _spelled(kind: str, text: str, options: ReadOptions, spellings: dict[tuple[str, str], str]) -> str:
    text = clean_name(text)
    return spellings.setdefault((kind, alike_key(text)), text) if options.merge_alike else text


def _check_finite(take: Take) -> None:
    # NaN is a sample that is missing.
    bad = ~(np.abs(take.t) <= LATEST_S) | (np.abs(take.signals) > LARGEST_SIGNAL).any(1)
    if bad.any():
        raise DataError(
            f"{take.source}, sample {int(np.argmax(bad)) + 1}",
            found="a value that is not finite, or beyond any sensor",
            expected=f"finite numbers, {LARGEST_SIGNAL:g} at most",
            next_step="export the recording again",
        )


def _united(units: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The unit of each channel, with all that occur."""
    return tuple(" or ".join(dict.fromkeys(each)) for each in zip(*units, strict=True))
