"""Names and segments of recordings: out of a dataset, out of a browser's JSON, and back into a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from deseptr.contract import DataError
from deseptr.contract.counts import counted
from deseptr.data.label_oddities import clean_name
from deseptr.data.recording import UNLABELLED, UNLABELLED_NAME, Dataset, Recording, Segment

LONGEST_NAME = 100
MOST_NAMES = 1000
_THING = "labels from the page"


@dataclass(frozen=True)
class Labelling:
    """The labelled segments of some recordings; whatever lies between them is unlabelled.

    Args:
        names: names of the labels.
        segments: of each recording, in order of time and without overlap; ``label`` is an index into ``names``.
    """

    names: tuple[str, ...]
    segments: tuple[tuple[Segment, ...], ...]

    @classmethod
    def of(cls, dataset: Dataset) -> Labelling:
        """The labels of a dataset.

        >>> from deseptr.data import synthetic_dataset
        >>> Labelling.of(synthetic_dataset(1, 4)).segments[0]
        (Segment(start=0, stop=200, label=0),)
        """
        segments = (tuple(s for s in r.segments() if s.label != UNLABELLED) for r in dataset.recordings)
        return cls(dataset.label_names, tuple(segments))

    @classmethod
    def from_json(cls, content: Any, lengths: Sequence[int]) -> Labelling:
        """Check what a browser sent.

        Args:
            content: ``{"names": [name, …], "segments": [[[start, stop, index of the name], …] of each recording]}``.
            lengths: number of samples of each recording.

        Raises:
            DataError: if it is anything else, or segments overlap, are out of order or end beyond their recording.
        """
        if not isinstance(content, dict) or not isinstance(content.get("segments"), list):
            raise _wrong("no segments", "names and segments")
        names = _names(content.get("names"))
        rows = content["segments"]
        if len(rows) != len(lengths):
            raise _wrong(f"segments of {counted(len(rows), 'recording')}", f"those of {len(lengths)}")
        return cls(names, tuple(_segments(row, n, len(names)) for row, n in zip(rows, lengths, strict=True)))

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_json` reads."""
        return {"names": list(self.names), "segments": [[list(s) for s in row] for row in self.segments]}

    def named(self) -> list[list[tuple[int, int, str]]]:
        """Start, stop and name of the segments of each recording."""
        return [[(start, stop, self.names[label]) for start, stop, label in row] for row in self.segments]

    def runs(self) -> int:
        """Number of segments, of which those that touch and have one label are one."""
        pairs = (pair for row in self.segments for pair in pairwise(row))
        joined = sum(one.stop == other.start and one.label == other.label for one, other in pairs)
        return sum(map(len, self.segments)) - joined

    def unlabelled(self, lengths: Sequence[int]) -> list[int]:
        """Samples without a label in each recording, by their number of samples."""
        return [
            length - sum(stop - start for start, stop, _ in row)
            for length, row in zip(lengths, self.segments, strict=True)
        ]

    def apply(self, dataset: Dataset) -> Dataset:
        """The dataset with these labels instead of its own; names without a segment are left out."""
        used = sorted({segment.label for row in self.segments for segment in row})
        index = {old: new for new, old in enumerate(used)}
        recordings = (
            _with_labels(recording, row, index)
            for recording, row in zip(dataset.recordings, self.segments, strict=True)
        )
        return replace(dataset, recordings=tuple(recordings), label_names=tuple(self.names[i] for i in used))


def _with_labels(recording: Recording, segments: tuple[Segment, ...], index: dict[int, int]) -> Recording:
    labels = np.full(len(recording), UNLABELLED, np.int16)
    for segment in segments:
        labels[segment.start : segment.stop] = index[segment.label]
    return replace(recording, labels=labels)


def _names(content: Any) -> tuple[str, ...]:
    if not isinstance(content, list) or len(content) > MOST_NAMES:
        raise _wrong("no list of names", f"at most {MOST_NAMES} names")
    for name in content:
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise _wrong(f"the name {name!r}", f"names of 1 to {LONGEST_NAME} characters")
        if name != clean_name(name).strip() or not name.isprintable() or name.casefold() == UNLABELLED_NAME:
            raise _wrong(f"the name {name!r}", f"a name that can be read, and not {UNLABELLED_NAME!r}")
    if len(set(content)) != len(content):
        raise _wrong("a name twice", "names that differ")
    return tuple(content)


def _segments(content: Any, samples: int, names: int) -> tuple[Segment, ...]:
    if not isinstance(content, list):
        raise _wrong(repr(content), "a list of segments")
    segments = tuple(map(_segment, content))
    end = 0
    for segment in segments:
        if not end <= segment.start < segment.stop <= samples:
            expected = f"segments in order, without overlap, within {samples} samples"
            raise _wrong(f"samples {segment.start} to {segment.stop} after {end}", expected)
        if not 0 <= segment.label < names:
            raise _wrong(f"label {segment.label}", f"0 to {names - 1}")
        end = segment.stop
    return segments


def _segment(content: Any) -> Segment:
    if not isinstance(content, list) or len(content) != 3 or not all(type(number) is int for number in content):
        raise _wrong(repr(content), "start, stop and label as whole numbers")
    return Segment(*content)


def _wrong(found: str, expected: str) -> DataError:
    return DataError(_THING, found=found, expected=expected, next_step="reload the page")
