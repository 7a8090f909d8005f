"""Recordings, datasets and the order of subjects; no file formats."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ALL_CHANNELS, CHANNELS, SENSORS, DataError, channels_of, columns_of, sensors_of, units_of
from deseptr.contract.counts import counted

UNLABELLED = -1
UNLABELLED_NAME = "unlabelled"
_NAMED = 4
HIGHEST_RATE_HZ = 1e9
# In SI units; far beyond any sensor, and its square still fits into float32.
LARGEST_SIGNAL = 1e12
# Digits of a name that count as a number; Python refuses to read more than 4300.
_LONGEST_NUMBER = 4000
# Even nanoseconds since 1970 that were taken for seconds.
LATEST_S = 1e20


class Segment(NamedTuple):
    """A run of samples with one label, from ``start`` (included) to ``stop`` (excluded)."""

    start: int
    stop: int
    label: int


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples of one wearer without gaps, at one rate.

    Args:
        signals: float32 ``[sample, channel]``, acceleration in m/s^2, angular rate in rad/s, magnetic field in
            microtesla.
        rate_hz: sample rate.
        subject: the wearer.
        labels: int16 ``[sample]``, index into the dataset's ``label_names``, -1 = unlabelled.
        name: the trial. A trial with gaps becomes several recordings with the same subject and name.
        start_s: time of the first sample on the trial's clock, which shows the length of gaps.
        channels: names of the channels, all three of one sensor or of several: the six, or ``channels_of(["acc"])``.

    Raises:
        DataError: if the shapes do not fit, the channels are unknown, the rate is not a positive number, or a value is
            not finite.
    """

    signals: NDArray[np.float32]
    rate_hz: float
    subject: str
    labels: NDArray[np.int16]
    name: str = "1"
    start_s: float = 0.0
    channels: tuple[str, ...] = CHANNELS

    def __post_init__(self) -> None:
        object.__setattr__(self, "signals", np.ascontiguousarray(self.signals, np.float32))
        object.__setattr__(self, "labels", np.ascontiguousarray(self.labels, np.int16))
        _check_shapes(self)
        _check_finite(self)

    def __len__(self) -> int:
        return len(self.signals)

    def __repr__(self) -> str:
        return f"Recording({self.title}, {self.duration_s:.1f} s at {self.rate_hz:g} Hz, {len(self)} samples)"

    @property
    def title(self) -> str:
        """Subject and trial, the name of a recording in messages."""
        return f"subject {self.subject}, trial {self.name}"

    @property
    def duration_s(self) -> float:
        """Samples divided by rate, in seconds."""
        return len(self) / self.rate_hz

    def axes(self, sensor: str) -> NDArray[np.float32] | None:
        """The three channels of a sensor, ``[sample, 3]``; None if the recording lacks it.

        >>> Recording(np.ones((2, 3)), 50.0, "ada", np.zeros(2), channels=channels_of(["acc"])).axes("gyro") is None
        True
        """
        wanted = SENSORS[sensor].channels
        if wanted[0] not in self.channels:
            return None
        first = self.channels.index(wanted[0])
        return self.signals[:, first : first + 3]

    def with_channels(self, channels: Sequence[str]) -> Recording:
        """The recording with some of its channels only.

        Raises:
            DataError: if it lacks one of them.
        """
        chosen = tuple(channels)
        if chosen == self.channels:
            return self
        columns = columns_of(chosen, self.channels, self.title)
        return replace(self, signals=self.signals[:, columns], channels=chosen)

    def segments(self) -> Iterator[Segment]:
        """Yield the maximal runs of one label in order of time, including unlabelled ones."""
        if not len(self):
            return
        edges = np.flatnonzero(np.diff(self.labels)) + 1
        bounds = [0, *edges.tolist(), len(self)]
        for start, stop in itertools.pairwise(bounds):
            yield Segment(start, stop, int(self.labels[start]))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Recordings that share their channels and label names.

    Args:
        recordings: recordings in the order of the source.
        label_names: names for the label indices of the recordings.
        name: name of the dataset in messages.
        oddities: suspected problems that the reader noted.
        original_units: unit of each channel in the source, by default SI units, which ``recordings`` always have.
        test_subjects: held-out subjects that the source defines; may be empty.
        unlabelled: further recordings, to learn from without labels; see :meth:`with_unlabelled`.

    Raises:
        DataError: if there is no recording, recordings have different channels, label names repeat, or a label has no
            name.
    """

    recordings: tuple[Recording, ...]
    label_names: tuple[str, ...]
    name: str = "dataset"
    oddities: tuple[str, ...] = ()
    original_units: tuple[str, ...] = ()
    test_subjects: tuple[str, ...] = ()
    unlabelled: tuple[Recording, ...] = ()

    def __post_init__(self) -> None:
        if not self.recordings:
            raise DataError(self.name, found="no recording", expected="at least one", next_step="check the source")
        if len(set(self.label_names)) != len(self.label_names):
            raise DataError(
                f"{self.name}: label names",
                found=", ".join(self.label_names),
                expected="names that differ",
                next_step="rename the repeated label",
            )
        common_channels([recording.channels for recording in (*self.recordings, *self.unlabelled)], self.name)
        if not self.original_units:
            object.__setattr__(self, "original_units", units_of(self.channels))
        for recording in self.recordings:
            self._check_labels(recording)

    @classmethod
    def from_arrays(
        cls,
        signals: Any,
        labels: Any,
        subjects: Any,
        rate_hz: float,
        *,
        name: str = "arrays",
        channels: Sequence[str] = CHANNELS,
    ) -> Dataset:
        """Create a dataset from arrays in memory.

        Args:
            signals: one array ``[sample, channel]`` per recording, or a single one, which is split where its subject
                changes; acceleration in m/s^2, angular rate in rad/s, magnetic field in microtesla.
            labels: for each recording a name, or one name per sample; None or NaN is unlabelled. For a single array
                one name per sample.
            subjects: one name per recording. For a single array one name, or one per sample.
            rate_hz: sample rate of all recordings.
            name: name of the dataset in messages.
            channels: names of the channels; for acceleration alone ``["acc_x", "acc_y", "acc_z"]``.

        Raises:
            DataError: if the shapes do not fit each other, or a value is not finite.

        >>> import numpy as np
        >>> data = Dataset.from_arrays([np.zeros((100, 6)), np.ones((50, 6))], ["still", None], ["ada", "eve"], 50)
        >>> data
        Dataset('arrays', 2 subjects, 2 recordings, 0.1 minutes at 50 Hz, labels still)
        """
        from .from_memory import dataset_from_arrays

        return dataset_from_arrays(signals, labels, subjects, rate_hz, name, tuple(channels))

    @classmethod
    def from_dataframe(cls, frame: Any, *, rate_hz: float | None = None, name: str = "dataframe") -> Dataset:
        """Create a dataset from a pandas data frame with the columns of a CSV file.

        Args:
            frame: one row per sample, columns ``t``, ``acc_x`` to ``gyro_z`` or the three of one sensor, ``label``,
                ``subject``; names state units as in a CSV file (``acc_x_g``, ``t_ms``).
            rate_hz: sample rate of a frame without times.
            name: name of the dataset in messages.

        Raises:
            DataError: as :func:`deseptr.data.read_csv`, with column and row; also for both times and a rate.
        """
        from .from_memory import dataset_from_dataframe

        return dataset_from_dataframe(frame, rate_hz, name)

    def __repr__(self) -> str:
        rates = ", ".join(f"{rate:g}" for rate in sorted({recording.rate_hz for recording in self.recordings}))
        minutes = sum(recording.duration_s for recording in self.recordings) / 60
        more = f", {counted(len(self.unlabelled), 'unlabelled recording')}" if self.unlabelled else ""
        alone = " alone" if set(self.channels) < set(CHANNELS) else ""
        more += "" if self.channels == CHANNELS else f", {' '.join(sensors_of(self.channels))}{alone}"
        return (
            f"Dataset({self.name!r}, {counted(len(self.subjects), 'subject')}, "
            f"{counted(len(self.recordings), 'recording')}, {minutes:.1f} minutes at {rates} Hz, "
            f"labels {', '.join(self.label_names) or 'none'}{more})"
        )

    def _check_labels(self, recording: Recording) -> None:
        low, high = int(recording.labels.min(initial=-1)), int(recording.labels.max(initial=-1))
        if low < UNLABELLED or high >= len(self.label_names):
            raise DataError(
                f"{self.name}: labels of {recording.title}",
                found=low if low < UNLABELLED else high,
                expected=f"-1 (unlabelled) to {len(self.label_names) - 1}",
                next_step="correct the labels or name every class",
            )

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of every recording."""
        return self.recordings[0].channels

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects of the recordings, in natural order (2 before 10)."""
        return natural_sorted({recording.subject for recording in self.recordings})

    @property
    def labelled_subjects(self) -> tuple[str, ...]:
        """Subjects with at least one labelled sample, in natural order."""
        return natural_sorted({r.subject for r in self.recordings if r.labels.max(initial=UNLABELLED) > UNLABELLED})

    @property
    def samples(self) -> int:
        """Number of samples in all recordings."""
        return sum(map(len, self.recordings))

    def select(
        self,
        *,
        subjects: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
    ) -> Dataset:
        """Keep only the recordings of some subjects, or only some labels or channels.

        Args:
            subjects: subjects to keep.
            labels: the new ``label_names``, in this order; samples of every other label become unlabelled.
            channels: sensors, as ``["acc"]``, or all channels of some by name.

        Raises:
            DataError: if a subject, label or channel does not occur.

        >>> from deseptr.data import synthetic_dataset
        >>> synthetic_dataset(2, 4).select(channels=["acc"]).channels
        ('acc_x', 'acc_y', 'acc_z')
        """
        people, classes = names_of(subjects, "subjects"), names_of(labels, "labels")
        chosen = self if people is None else self._of_subjects(people)
        chosen = chosen if classes is None else chosen._with_labels(classes)
        named = names_of(channels, "channels")
        return chosen if named is None else chosen._with_channels(named)

    def with_unlabelled(self, other: Dataset) -> Dataset:
        """This dataset with the recordings of another one to learn from without labels, which are ignored.

        A subject of the same name is the same person: recordings of subjects that are held out are not learned from.

        >>> from deseptr.data import synthetic_dataset
        >>> len(synthetic_dataset(3, 4).with_unlabelled(synthetic_dataset(2, 4)).unlabelled)
        12
        """
        return replace(self, unlabelled=self.unlabelled + tuple(map(without_labels, other.recordings)))

    def _of_subjects(self, subjects: tuple[str, ...]) -> Dataset:
        check_subjects(subjects, self.subjects, self.name)
        return replace(
            self,
            recordings=tuple(r for r in self.recordings if r.subject in subjects),
            test_subjects=tuple(s for s in self.test_subjects if s in subjects),
        )

    def _with_channels(self, names: tuple[str, ...]) -> Dataset:
        channels = channels_of(names) if names and set(names) <= SENSORS.keys() else names
        columns = columns_of(channels, self.channels, self.name)
        if channels == self.channels:
            return self
        return replace(
            self,
            recordings=tuple(r.with_channels(channels) for r in self.recordings),
            unlabelled=tuple(r.with_channels(channels) for r in self.unlabelled),
            original_units=tuple(self.original_units[column] for column in columns),
        )

    def _with_labels(self, labels: tuple[str, ...]) -> Dataset:
        table = label_table(self.label_names, labels, self.name)
        recordings = tuple(replace(r, labels=table[r.labels]) for r in self.recordings)
        present = np.zeros(len(labels) + 1, bool)
        for recording in recordings:
            present[recording.labels] = True
        for index, label in enumerate(labels):
            if not present[index]:
                raise empty_class(self.name, label)
        return replace(self, recordings=recordings, label_names=labels)


def check_channels(channels: tuple[str, ...], name: str) -> None:
    """Raise a DataError unless channels are all those of one sensor or of several, in their order."""
    if not channels or channels != channels_of(sensors_of(channels)):
        raise DataError(
            f"{name}: channels",
            found=", ".join(map(str, channels)) or "none",
            expected=f"all three of one sensor or of several, in this order: {', '.join(ALL_CHANNELS)}",
            next_step="name and order them so",
        )


def common_channels(channels: Sequence[tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The channels of recordings that are to be one dataset.

    Raises:
        DataError: if they differ; its next step is the choice that all of them have.
    """
    kinds = list(dict.fromkeys(channels))
    if len(kinds) > 1:
        shared = sensors_of([channel for channel in kinds[0] if all(channel in kind for kind in kinds)])
        named = [f"{channels.count(kind)} with {' and '.join(sensors_of(kind))}" for kind in kinds]
        raise DataError(
            name,
            found=f"recordings of different channels: {', '.join(named)}",
            expected="the same channels in all",
            next_step=f"take what all have with --channels {','.join(shared)}"
            if shared
            else "read them as data of their own",
        )
    return kinds[0]


def without_labels(recording: Recording) -> Recording:
    """The recording with every sample unlabelled."""
    return replace(recording, labels=np.full(len(recording), UNLABELLED, np.int16))


def names_of(values: Any, argument: str) -> tuple[str, ...] | None:
    """A caller's list of names as strings; None stays None.

    Raises:
        DataError: if it is a single name, whose letters would be taken for names.
    """
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DataError(
            argument,
            found=repr(values),
            expected="a list of names",
            next_step=f"write {argument}=[{values!r}]",
        )
    return tuple(map(str, values))


def label_table(old: Sequence[str], new: Sequence[str], name: str) -> NDArray[np.int16]:
    """Table from indices into ``old`` to indices into ``new``; ``table[-1]`` and dropped labels are -1.

    Raises:
        DataError: if a new label is not one of the old ones.
    """
    check_known("label", new, old, name)
    positions = {label: index for index, label in enumerate(new)}
    return np.array([*(positions.get(label, UNLABELLED) for label in old), UNLABELLED], np.int16)


def check_subjects(wanted: Sequence[str], present: Sequence[str], name: str) -> None:
    """Raise a DataError that lists the subjects present unless at least one is wanted and all are present."""
    next_step = "choose from the subjects present"
    if not wanted:
        raise DataError(
            f"{name}: chosen subjects", found="none", expected=f"some of {', '.join(present)}", next_step=next_step
        )
    check_known("subject", wanted, present, name, next_step)


def check_known(
    kind: str, wanted: Sequence[str], present: Sequence[str], name: str, next_step: str = "choose from these"
) -> None:
    """Raise a DataError that lists the ``present`` names of a ``kind`` unless all wanted ones are among them."""
    missing = [each for each in wanted if each not in present]
    if missing:
        raise DataError(
            f"{name}: {kind} {', '.join(missing)}",
            found=f"no such {kind}",
            expected=f"some of {', '.join(present)}",
            next_step=next_step,
        )


def empty_class(name: str, label: str) -> DataError:
    """The error for a class without examples."""
    return DataError(
        f"{name}: class {label}",
        found="no sample of it",
        expected="samples of every class",
        next_step="record some, or leave the class out with --labels or --drop-labels",
    )


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which runs of digits count as numbers, so that 2 comes before 10."""
    parts = re.findall(r"\d+|\D+", text)
    short = [part.isdecimal() and len(part) <= _LONGEST_NUMBER for part in parts]
    return tuple((0, int(part), "") if number else (1, 0, part) for part, number in zip(parts, short, strict=True))


def natural_sorted(names: Any) -> tuple[str, ...]:
    """``names`` in natural order."""
    return tuple(sorted(map(str, names), key=natural_key))


def subject_list(names: Sequence[str]) -> str:
    """All of them in words.

    >>> subject_list(["eve"]), subject_list(["ada", "eve"])
    ('subject eve', 'subjects ada, eve')
    """
    return f"subject{'s' * (len(names) != 1)} {', '.join(names)}"


def short_list(names: Iterable[str]) -> str:
    """The first few of some names, and how many there are more."""
    listed = list(names)
    rest = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + rest


def _check_shapes(recording: Recording) -> None:
    check_channels(recording.channels, recording.title)
    shape, count = recording.signals.shape, len(recording.channels)
    if len(shape) != 2 or shape[1] != count or recording.labels.shape != shape[:1]:
        raise DataError(
            recording.title,
            found=f"signals {shape} and labels {recording.labels.shape}",
            expected=f"signals [sample, {count}] and labels [sample]",
            next_step=f"pass one label per sample and the channels {', '.join(recording.channels)}",
        )
    if not (np.isfinite(recording.rate_hz) and 0 < recording.rate_hz <= HIGHEST_RATE_HZ):
        raise DataError(
            f"{recording.title}: rate",
            found=recording.rate_hz,
            expected="a positive rate in Hz",
            next_step="correct the rate",
        )
    if not abs(recording.start_s) <= LATEST_S:
        raise DataError(
            f"{recording.title}: start",
            found=f"{recording.start_s} s",
            expected="a finite time",
            next_step="correct start_s",
        )


def _check_finite(recording: Recording) -> None:
    bad = np.argwhere(~(np.abs(recording.signals) <= LARGEST_SIGNAL))
    if len(bad):
        row, channel = bad[0]
        raise DataError(
            f"{recording.title}, sample {row}, {recording.channels[channel]}",
            found=recording.signals[row, channel],
            expected=f"a finite number, {LARGEST_SIGNAL:g} at most",
            next_step="cut the bad samples out and split the recording there",
        )
