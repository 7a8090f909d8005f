"""A share of a dataset that has every wearer and every label in it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError

from .recording import Dataset, Recording

PIECE_S = 10.0
"""Length of the pieces that are drawn; shorter ones would leave fewer windows of the same data."""


def take_fraction(dataset: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Keep a share of the samples of each label of each subject, and so of each class and of each subject.

    Runs of one label are cut into pieces of ``PIECE_S`` seconds, of which some are drawn at random; the last one drawn
    is shortened, so that the number of samples is the share, rounded up. Pieces that follow each other stay one
    recording; any others are recordings of the same trial, as after a gap. Samples without a label count as one more
    label.

    Args:
        dataset: any recordings.
        fraction: the share, above 0 and at most 1.
        seed: seed of the draw. The same seed and a larger share keep at least the same pieces.

    Raises:
        DataError: if the share is none.

    >>> from deseptr.data import synthetic_dataset
    >>> whole = synthetic_dataset(3, 40)
    >>> whole.samples, take_fraction(whole, 0.25).samples
    (36000, 9000)
    """
    if not 0 < fraction <= 1:
        raise DataError(
            "fraction", found=fraction, expected="above 0 and at most 1", next_step="choose a share, as 0.1"
        )
    kept = [np.zeros(len(recording), bool) for recording in dataset.recordings]
    rng = np.random.default_rng(seed)
    for pieces in _pieces(dataset).values():
        left = math.ceil(round(fraction * sum(stop - start for _, start, stop in pieces), 6))
        for place in rng.permutation(len(pieces)):
            recording, start, stop = pieces[place]
            stop = min(stop, start + left)
            kept[recording][start:stop] = True
            left -= stop - start
    recordings = tuple(
        part for recording, mask in zip(dataset.recordings, kept, strict=True) for part in _kept_parts(recording, mask)
    )
    return replace(dataset, recordings=recordings)


def _pieces(dataset: Dataset) -> dict[tuple[str, int], list[tuple[int, int, int]]]:
    """Recording, first and last sample, excluded, of each piece, by subject and label."""
    pieces: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for number, recording in enumerate(dataset.recordings):
        length = max(1, round(PIECE_S * recording.rate_hz))
        for segment in recording.segments():
            for start in range(segment.start, segment.stop, length):
                stop = min(segment.stop, start + length)
                pieces[recording.subject, segment.label].append((number, start, stop))
    return pieces


def _kept_parts(recording: Recording, mask: NDArray[np.bool_]) -> Iterator[Recording]:
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    for start, stop in edges.reshape(-1, 2).tolist():
        yield replace(
            recording,
            signals=recording.signals[start:stop],
            labels=recording.labels[start:stop],
            start_s=recording.start_s + start / recording.rate_hz,
        )
