"""Oddities of labels and names: spellings of one name, and classes whose runs are shorter than a window."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

from .recording import Dataset

WINDOW_S = 2.56
"""Length of a window in training, if none is chosen; windows overlap by half."""
_SHORTEST_S = 0.1
_SAME_RATE = 1e-6
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))


def clean_name(name: str) -> str:
    """A name in one way of writing its letters (NFC), without characters that cannot be seen and join nothing.

    >>> clean_name("Zoe" + chr(0x308) + chr(0x200B))
    'Zoë'
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name.translate(_INVISIBLE)).strip()


def alike_key(name: str) -> str:
    """The same for names that differ in case, blanks, hyphens and underscores only.

    >>> alike_key("Going-Up") == alike_key("going  up")
    True
    """
    folded = unicodedata.normalize("NFKC", clean_name(name)).casefold()
    return " ".join(folded.replace("-", " ").replace("_", " ").split())


def alike_oddities(dataset: Dataset) -> Iterator[str]:
    """Labels, and subjects, that look like spellings of one name."""
    for kind, names in (("labels", dataset.label_names), ("subjects", dataset.subjects)):
        for group in _alike(names):
            yield f"the {kind} {', '.join(group)} are alike: --merge-alike makes them one"


def _alike(names: Iterable[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(alike_key(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def label_runs(
    dataset: Dataset, rate_hz: float | None = None, subjects: Collection[str] | None = None
) -> dict[str, list[float]]:
    """Seconds of each run of each label.

    Args:
        dataset: recordings.
        rate_hz: rate at which the samples of a run are counted; by default each recording's own. At another rate there
            is none beyond the run's last sample.
        subjects: whose runs; by default everybody's.
    """
    runs: dict[str, list[float]] = {label: [] for label in dataset.label_names}
    for recording in dataset.recordings:
        if subjects is not None and recording.subject not in subjects:
            continue
        for segment in recording.segments():
            if segment.label >= 0:
                run_s = _run_s(segment.stop - segment.start, recording.rate_hz, rate_hz or recording.rate_hz)
                runs[dataset.label_names[segment.label]].append(run_s)
    return runs


def _run_s(samples: int, own_hz: float, rate_hz: float) -> float:
    ratio = rate_hz / own_hz
    same = abs(ratio - 1) < _SAME_RATE
    return (samples if same else math.floor((samples - 1) * ratio + 1e-9) + 1) / rate_hz


def workable_window_s(runs_s: Iterable[Sequence[float]]) -> float:
    """The longest window, in hundredths of a second, whose runs hold at least half of the time of each class.

    The longest run alone would be a class of one window.

    >>> workable_window_s([[1.0, 1.1, 1.2, 3.0], [2.0, 2.567]])
    1.2
    """
    return min(map(_half_s, runs_s))


def _half_s(runs_s: Sequence[float]) -> float:
    ordered = sorted(runs_s, reverse=True)
    held = itertools.accumulate(ordered)
    # A run is a whole number of samples over a rate, which as a float may be a hair too short.
    half = sum(ordered) / 2 * (1 - 1e-9)
    run = next(run for run, time in zip(ordered, held, strict=True) if time >= half)
    return math.floor(run * 100 + 1e-9) / 100


def count_windows(dataset: Dataset, window_s: float) -> dict[str, int]:
    """Windows of each label, half overlapping, as training would cut them at each recording's own rate."""
    counts = dict.fromkeys(dataset.label_names, 0)
    for recording in dataset.recordings:
        length = max(1, round(window_s * recording.rate_hz))
        hop = max(1, length // 2)
        for segment in recording.segments():
            if segment.label >= 0:
                fitting = (segment.stop - segment.start - length) // hop + 1
                counts[dataset.label_names[segment.label]] += max(0, fitting)
    return counts


def window_oddities(dataset: Dataset, window_s: float) -> Iterator[str]:
    """Classes that are recorded, but never for as long as a window."""
    counts, runs = count_windows(dataset, window_s), label_runs(dataset)
    short = {name: found for name, found in runs.items() if found and not counts[name]}
    if not short:
        return
    listed = ", ".join(f"{name} (longest {max(found):.2f} s)" for name, found in short.items())
    workable = workable_window_s(short.values())
    advice = (
        f"--window-s {workable:g} puts at least half of their time into windows"
        if workable >= _SHORTEST_S
        else "label longer runs"
    )
    yield f"no run of a window's {window_s:g} s for {listed}: {advice}"
