"""Cutting recordings into windows that never cross the border of a recording, a gap or a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, DataError, columns_of
from deseptr.contract.counts import counted

from .recording import UNLABELLED, UNLABELLED_NAME, Dataset, Recording, empty_class, label_table
from .resampling import resample


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows, their labels and their origin.

    Args:
        signals: float32 ``[window, history + window_length, channel]`` in m/s^2 and rad/s.
        labels: int64 ``[window]``, index into ``label_names``, -1 = unlabelled.
        subjects: str ``[window]``.
        recording: int64 ``[window]``, index into the dataset's ``recordings``.
        start: int64 ``[window]``, first sample in the recording at ``rate_hz``, after the history.
        label_names: names for the label indices.
        rate_hz: sample rate of the windows.
        history: samples of each of the ``signals`` that come before its window.
        channels: names of the channels.
    """

    signals: NDArray[np.float32]
    labels: NDArray[np.int64]
    subjects: NDArray[np.str_]
    recording: NDArray[np.int64]
    start: NDArray[np.int64]
    label_names: tuple[str, ...]
    rate_hz: float
    history: int = 0
    channels: tuple[str, ...] = CHANNELS

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.signals.shape))
        counts = ", ".join(f"{name} {count}" for name, count in self.counts().items())
        return f"Windows([{shape}] at {self.rate_hz:g} Hz, {counts})"

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Windows:
        """The windows selected by a mask or by indices, in the order of the indices."""
        return replace(
            self,
            signals=self.signals[chosen],
            labels=self.labels[chosen],
            subjects=self.subjects[chosen],
            recording=self.recording[chosen],
            start=self.start[chosen],
        )

    def with_channels(self, channels: Sequence[str]) -> Windows:
        """The windows with some of their channels only, in the order asked for.

        Raises:
            DataError: if they lack one.
        """
        chosen = tuple(channels)
        if chosen == self.channels:
            return self
        columns = columns_of(chosen, self.channels, "recordings")
        return replace(self, signals=self.signals[..., columns], channels=chosen)

    @property
    def own_signals(self) -> NDArray[np.float32]:
        """``[window, window_length, channel]``: the windows alone, without their history."""
        return self.signals[:, self.history :]

    def without_margin(self, margin: int) -> Windows:
        """The same windows without ``margin`` samples at both ends."""
        inside = self.signals[:, margin : self.signals.shape[1] - margin]
        return replace(self, signals=inside, history=self.history - margin)

    def of_subjects(self, subjects: Sequence[str]) -> Windows:
        """The windows of some subjects, in unchanged order."""
        return self.take(np.isin(self.subjects, list(subjects)))

    def followed_by(self, other: Windows) -> Windows:
        """These windows, then those of another part with the same classes, rate and length."""
        fields = ("signals", "labels", "subjects", "recording", "start")
        joined: dict[str, Any] = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in fields}
        return replace(self, **joined)

    def counts(self) -> dict[str, int]:
        """Number of windows of each class, by name."""
        counts = np.bincount(self.labels[self.labels >= 0], minlength=len(self.label_names))
        return {name: int(count) for name, count in zip(self.label_names, counts, strict=True)}

    def check_classes(self, name: str = "windows") -> None:
        """Raise a DataError that names the first class without windows."""
        for label, count in self.counts().items():
            if not count:
                raise empty_class(name, label)


def cut_windows(
    dataset: Dataset,
    *,
    window_length: int,
    hop_length: int,
    rate_hz: float,
    label_names: Sequence[str] | None = None,
    history: int = 0,
    margin: int = 0,
) -> Windows:
    """Cut every run of one label in every recording into windows.

    A run of ``n`` samples gives ``(n - window_length) // hop_length + 1`` windows, the first at its first sample;
    unlabelled runs give none. Recordings with another rate are resampled first.

    Args:
        dataset: the recordings.
        window_length: samples in a window, at ``rate_hz``.
        hop_length: samples between the starts of successive windows.
        rate_hz: sample rate of the windows.
        label_names: the classes, in the order of the windows' labels; by default those of the dataset. Samples of other
            classes are left out.
        history: samples before each window that its ``signals`` begin with, whatever their label; before the start of
            the recording its first sample is repeated.
        margin: samples before the history and after the window that ``signals`` have as well, for augmentation; at the
            ends of the recording its first and last sample are repeated.

    Raises:
        DataError: if a length is not positive, a label is unknown, or no run is long enough for a window.

    >>> from deseptr.data import synthetic_dataset
    >>> windows = cut_windows(synthetic_dataset(2, 4), window_length=128, hop_length=64, rate_hz=50.0)
    >>> windows.signals.shape
    (24, 128, 6)
    """
    _check_lengths(window_length, hop_length, min(history, margin))
    names = dataset.label_names if label_names is None else tuple(label_names)
    table = label_table(dataset.label_names, names, dataset.name)
    recordings = [resample(recording, rate_hz) for recording in dataset.recordings]
    cuts = [_cut(recording, table, window_length, hop_length) for recording in recordings]
    counts = [len(labels) for _, labels in cuts]
    if not sum(counts):
        raise _no_window(dataset, recordings, window_length)
    history += margin
    signals = np.empty((sum(counts), history + window_length + margin, len(dataset.channels)), np.float32)
    _fill(signals, recordings, [starts for starts, _ in cuts], history)
    return Windows(
        signals,
        np.concatenate([labels for _, labels in cuts]),
        np.repeat(np.array([recording.subject for recording in recordings]), counts),
        np.repeat(np.arange(len(recordings)), counts),
        np.concatenate([starts for starts, _ in cuts]),
        names,
        float(rate_hz),
        history,
        dataset.channels,
    )


def cut_unlabelled(
    recordings: Sequence[Recording],
    label_names: tuple[str, ...],
    *,
    window_length: int,
    hop_length: int,
    rate_hz: float,
    history: int = 0,
    margin: int = 0,
) -> Windows:
    """Cut whole recordings into windows without labels, whatever labels they have; lengths as of :func:`cut_windows`.

    Args:
        recordings: at least one.
        label_names: the classes that the windows could be of.
        window_length: samples in a window, at ``rate_hz``.
        hop_length: samples between the starts of successive windows.
        rate_hz: sample rate of the windows.
        history: samples before each window.
        margin: samples before the history and after the window.

    Raises:
        DataError: if no recording is long enough for a window.
    """
    longest = max(round(each.duration_s * rate_hz) for each in recordings)
    if longest < window_length:
        raise DataError(
            "unlabelled recordings",
            found=f"a longest one of {counted(longest, 'sample')} at {rate_hz:g} Hz",
            expected=f"at least one window of {window_length} samples",
            next_step="record for longer or choose shorter windows",
        )
    whole = tuple(replace(each, labels=np.zeros(len(each), np.int16)) for each in recordings)
    windows = cut_windows(
        Dataset(whole, (UNLABELLED_NAME,), "unlabelled recordings"),
        window_length=window_length,
        hop_length=hop_length,
        rate_hz=rate_hz,
        history=history,
        margin=margin,
    )
    return replace(windows, labels=np.full(len(windows), UNLABELLED, np.int64), label_names=label_names)


def samples_before(starts: NDArray[np.int64], length: int, history: int, first: int = 0) -> NDArray[np.int64]:
    """Indices ``[window, history + length]`` of the samples of windows and of those before them.

    >>> samples_before(np.array([1]), length=2, history=3).tolist()
    [[0, 0, 0, 1, 2]]

    Args:
        starts: int64 ``[window]``, first sample of each window.
        length: of a window.
        history: samples before it.
        first: the earliest sample that there is, which stands for those before it.
    """
    return np.asarray(np.maximum(starts[:, None] + np.arange(-history, length), first))


def places_in(windows: Windows, dataset: Dataset) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Trial of each window ``[window]``, and its first sample ``[window]`` in seconds on the clock of the trial.

    Args:
        windows: the windows.
        dataset: the recordings that they were cut from.
    """
    trials = np.array([recording.name for recording in dataset.recordings])[windows.recording]
    begun_s = np.array([recording.start_s for recording in dataset.recordings])[windows.recording]
    return trials, begun_s + windows.start / windows.rate_hz


def _cut(
    recording: Recording, table: NDArray[np.int16], length: int, hop: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts, labels = [], []
    for segment in recording.segments():
        label = int(table[segment.label])
        if label < 0:
            continue
        run = np.arange(segment.start, segment.stop - length + 1, hop)
        starts.append(run)
        labels.append(np.full(len(run), label))
    none = [np.empty(0, np.int64)]
    return np.concatenate(none + starts), np.concatenate(none + labels)


def _fill(
    signals: NDArray[np.float32], recordings: list[Recording], starts: list[NDArray[np.int64]], history: int
) -> None:
    done, length = 0, signals.shape[1] - history
    for recording, first in zip(recordings, starts, strict=True):
        index = np.minimum(samples_before(first, length, history), len(recording) - 1)
        signals[done : done + len(first)] = recording.signals[index]
        done += len(first)


def _check_lengths(window_length: int, hop_length: int, history: int) -> None:
    if history < 0:
        raise DataError("history", found=history, expected="at least 0 samples", next_step="choose a larger history")
    for name, value in (("window_length", window_length), ("hop_length", hop_length)):
        if value < 1:
            raise DataError(name, found=value, expected="at least 1 sample", next_step=f"choose a larger {name}")


def _no_window(dataset: Dataset, recordings: list[Recording], window_length: int) -> DataError:
    runs = [s.stop - s.start for recording in recordings for s in recording.segments() if s.label >= 0]
    return DataError(
        dataset.name,
        found=f"a longest labelled run of {counted(max(runs), 'sample')}" if runs else "no labelled sample",
        expected=f"runs of at least one window of {window_length} samples",
        next_step="label longer runs or choose shorter windows"
        if runs
        else "label the samples, in a column `label` or with --segments",
    )
