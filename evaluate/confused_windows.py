"""Windows that a model took for another class, by pair of classes, with examples of each pair to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deseptr.contract import softmax
from deseptr.data import Dataset, Windows
from deseptr.data.windows import places_in

EXAMPLES = 6
"""Examples of a pair of classes at most."""
ALL_EXAMPLES = 300
"""Examples of a page at most, so that it stays under 2 MB."""
RULE = "Shown are the most confident ones, one of each wearer before a second of any."
CROWDED = "The page has room for no more: every pair of classes has its first example before any has its second."


class Origin(NamedTuple):
    """Where windows were cut from: the windows in the order of their predictions, and their dataset."""

    windows: Windows
    dataset: Dataset


class Places(NamedTuple):
    """Where windows are in their recordings, in the order of their predictions.

    Args:
        trials: ``[window]``, names of their recordings.
        starts_s: float64 ``[window]``, their first samples, on the clocks of the trials.
        window_s: length of a window.
    """

    trials: NDArray[np.str_]
    starts_s: NDArray[np.float64]
    window_s: float


@dataclass(frozen=True, eq=False)
class ConfusedWindow:
    """One window that was taken for another class.

    Args:
        subject: its wearer.
        given: probability of the class that it was taken for; NaN if the model gave none.
        true: probability of its true class.
        trial: name of its recording; None if its place is not known.
        start_s: its first sample, on the clock of the trial; None if its place is not known.
        signals: float32 ``[sample, channel]`` in SI units; None without the recordings.
    """

    subject: str
    given: float
    true: float
    trial: str | None = None
    start_s: float | None = None
    signals: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class ConfusedPair:
    """All windows of one class that were taken for one other.

    Args:
        true: index of their class.
        given: index of the class that they were taken for.
        windows: number of windows.
        wearers: number of wearers that they are of.
        examples: some of them.
    """

    true: int
    given: int
    windows: int
    wearers: int
    examples: tuple[ConfusedWindow, ...]


@dataclass(frozen=True)
class Confused:
    """The confused pairs of a model, those with the most windows first.

    Args:
        pairs: pairs of classes with at least one window.
        window_s: length of a window; 0 if the places of the windows are not known.
        channels: of the signals of the examples; empty without the recordings.
        crowded: whether pairs have fewer examples than :data:`EXAMPLES` for want of room.
    """

    pairs: tuple[ConfusedPair, ...]
    window_s: float = 0.0
    channels: tuple[str, ...] = ()
    crowded: bool = False


def confused_windows(
    labels: NDArray[np.integer],
    logits: NDArray[np.floating],
    subjects: NDArray[np.str_],
    origin: Origin | None = None,
    *,
    places: Places | None = None,
    window: NDArray[np.int64] | None = None,
    limit: int = ALL_EXAMPLES,
) -> Confused:
    """The pairs of classes that a model confuses, and examples of each: see :data:`RULE`.

    Args:
        labels: ``[prediction]`` true classes.
        logits: ``[prediction, class]``.
        subjects: ``[prediction]``.
        origin: the windows, which give the examples their time and signals.
        places: of the windows, which give the examples their time where there is no origin.
        window: int64 ``[prediction]``, the window of each prediction, where several models have predicted the same
            windows; an example is shown once. By default, each prediction is of a window of its own, in their order.
        limit: number of examples of all pairs together.
    """
    given = logits.argmax(axis=1)
    window = np.arange(len(labels)) if window is None else window
    if origin is not None:
        places = _places(origin)
    pairs = sorted(_wrong(labels, given).items(), key=lambda pair: (-len(pair[1]), pair[0]))
    candidates = [_distinct(members, logits, window) for _, members in pairs]
    shares = share_out(list(map(len, candidates)), EXAMPLES, limit)
    found = []
    for ((true, taken_for), members), known, share in zip(pairs, candidates, shares, strict=True):
        chosen = [known[i] for i in spread(_confidence(logits[known]), subjects[known].tolist())[:share]]
        examples = tuple(
            _example(str(subjects[i]), softmax(logits[i]), (true, taken_for), int(window[i]), places, origin)
            for i in chosen
        )
        found.append(ConfusedPair(true, taken_for, len(members), len(set(subjects[members].tolist())), examples))
    crowded = sum(shares) < sum(min(len(known), EXAMPLES) for known in candidates)
    window_s = 0.0 if places is None else places.window_s
    return Confused(tuple(found), window_s, () if origin is None else origin.windows.channels, crowded)


def spread(confidence: ArrayLike, subjects: Sequence[str]) -> list[int]:
    """Indices by decreasing confidence, the first of each subject before the second of any.

    >>> spread([0.7, 0.8, 0.9], ["eve", "ada", "ada"])
    [2, 0, 1]
    """
    turns: Counter[str] = Counter()
    ranked = []
    for place, index in enumerate(np.argsort(-np.asarray(confidence), kind="stable").tolist()):
        ranked.append((turns[subjects[index]], place, index))
        turns[subjects[index]] += 1
    return [index for _, _, index in sorted(ranked)]


def share_out(counts: Sequence[int], each: int, limit: int) -> list[int]:
    """Number of examples of each pair: one for all in turn, until each has enough or the limit is reached.

    >>> share_out([9, 2, 1], each=6, limit=5)
    [2, 2, 1]
    """
    shares = [0] * len(counts)
    for turn in range(each):
        for place, count in enumerate(counts):
            if turn < count and limit > 0:
                shares[place] += 1
                limit -= 1
    return shares


def _wrong(labels: NDArray[np.integer], given: NDArray[np.integer]) -> dict[tuple[int, int], NDArray[np.int64]]:
    """Indices of the windows of each confused pair."""
    wrong = np.flatnonzero(labels != given)
    pairs = sorted({(int(labels[index]), int(given[index])) for index in wrong})
    return {(true, other): np.flatnonzero((labels == true) & (given == other)) for true, other in pairs}


def _distinct(members: NDArray[np.int64], logits: NDArray[np.floating], window: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most confident prediction of each window."""
    order = members[np.argsort(-_confidence(logits[members]), kind="stable")]
    _, first = np.unique(window[order], return_index=True)
    return order[first]


def _confidence(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probability of the class that is given, ``[prediction]``; −1 where a logit is not a number."""
    return np.nan_to_num(softmax(logits).max(axis=1), nan=-1.0)


def _places(origin: Origin) -> Places:
    windows = origin.windows
    return Places(*places_in(windows, origin.dataset), windows.own_signals.shape[1] / windows.rate_hz)


def _example(
    subject: str,
    probabilities: NDArray[np.float64],
    pair: tuple[int, int],
    window: int,
    places: Places | None,
    origin: Origin | None,
) -> ConfusedWindow:
    true, given = pair
    known = subject, float(probabilities[given]), float(probabilities[true])
    if places is None:
        return ConfusedWindow(*known)
    signals = None if origin is None else origin.windows.own_signals[window]
    return ConfusedWindow(*known, str(places.trials[window]), float(places.starts_s[window]), signals)
