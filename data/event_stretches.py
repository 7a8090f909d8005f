"""Of a class that is an event, such as a fall, the moment itself: what came before and after is another class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deseptr.contract import DataError

from .recording import UNLABELLED, Dataset, Recording, Segment, check_known


def around_peaks(dataset: Dataset, label: str, span_s: float) -> Dataset:
    """Keep of each run of a label the time around its largest acceleration; the rest becomes unlabelled.

    A recording of a staged fall is steps, a fall, and lying still. Labelled as a whole it teaches that steps and lying
    are falls.

    Args:
        dataset: any recordings.
        label: the event's.
        span_s: length of the time that is kept, half of it on either side of the peak as far as the run goes, seconds.

    Raises:
        DataError: if there is no such label, or no acceleration.

    >>> from deseptr.data import synthetic_dataset
    >>> dataset = around_peaks(synthetic_dataset(1, 20), "jogging", 3.0)
    >>> sum(int((recording.labels == 5).sum()) for recording in dataset.recordings)
    150
    """
    check_known("label", [label], dataset.label_names, dataset.name)
    if dataset.recordings[0].axes("acc") is None:
        raise DataError(
            dataset.name,
            found="no acceleration",
            expected="an accelerometer's channels, by which the peak of an event is found",
            next_step="record acceleration too, or leave out --event",
        )
    index = dataset.label_names.index(label)
    return replace(dataset, recordings=tuple(_cut(recording, index, span_s) for recording in dataset.recordings))


def _cut(recording: Recording, index: int, span_s: float) -> Recording:
    labels = recording.labels.copy()
    for run in recording.segments():
        if run.label == index:
            first, last = _kept(recording, run, round(span_s * recording.rate_hz))
            labels[run.start : first] = UNLABELLED
            labels[last : run.stop] = UNLABELLED
    return replace(recording, labels=labels)


def _kept(recording: Recording, run: Segment, length: int) -> tuple[int, int]:
    """First sample kept and the one after the last; a span that would leave the run is moved into it."""
    acceleration = recording.axes("acc")
    assert acceleration is not None, "checked by the caller"
    squares = (acceleration[run.start : run.stop].astype(np.float64) ** 2).sum(axis=1)
    peak = run.start + int(squares.argmax())
    first = min(max(run.start, peak - length // 2), max(run.start, run.stop - length))
    return first, min(run.stop, first + length)
