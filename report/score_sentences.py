"""Scores in plain sentences: the answer first, then what speaks against it. They state figures and judge nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deseptr.contract.counts import counted
from deseptr.evaluate.markdown import ENOUGH_PEOPLE

from .html.confusion import share_text
from .missed_classes import missed_classes


def answer(figures: Mapping[str, Any], interval: Mapping[str, float] | None = None) -> str:
    """Macro-F1 with its interval, and accuracy, in one sentence.

    Args:
        figures: content of ``Scores.to_dict``.
        interval: bounds ``low`` and ``high`` of macro-F1 over wearers, if known.

    >>> answer({"macro_f1": 0.9, "accuracy": 0.95, "windows": 1200, "per_subject_f1": {"ada": 0.9}})
    'Macro-F1 0.900 and accuracy 0.950 on 1,200 windows of 1 wearer.'
    """
    wearers, windows = counted(len(figures["per_subject_f1"]), "wearer"), counted(figures["windows"], "window")
    accuracy = f"accuracy {figures['accuracy']:.3f}"
    return f"Macro-F1 {figures['macro_f1']:.3f}{bounds(interval)} and {accuracy} on {windows} of {wearers}."


def against(figures: Mapping[str, Any]) -> list[str]:
    """Sentences on what the answer leaves out: weakest class and wearer, largest confusion, classes not measured.

    Args:
        figures: content of ``Scores.to_dict``.
    """
    return [line for line in (few_wearers(figures["per_subject_f1"]), *where_it_errs(figures)) if line]


def where_it_errs(figures: Mapping[str, Any]) -> list[str]:
    """Weakest class and wearer, largest confusion, classes not measured; empty sentences where there is none.

    Args:
        figures: content of ``Scores.to_dict``.
    """
    return [
        weakest_class(figures["per_class_f1"]),
        weakest_wearer(figures["per_subject_f1"]),
        most_confused(figures["labels"], figures["confusion"]),
        *(f"{line}." for line in missed_classes(dict(figures))),
    ]


def bounds(interval: Mapping[str, float] | None) -> str:
    """An interval in brackets after its figure; empty if none is known.

    >>> bounds({"low": 0.5, "high": 0.75})
    ' (95 % interval 0.500 to 0.750)'
    """
    return f" (95 % interval {interval['low']:.3f} to {interval['high']:.3f})" if interval else ""


def unfinished(summary: Mapping[str, Any]) -> str:
    """A warning where trainings of a study are missing; else empty."""
    finished, wanted = summary["finished"], summary["wanted"]
    return f"Only {finished} of {wanted} trainings are finished." if finished < wanted else ""


def without_zero(intervals: Sequence[Mapping[str, float] | None], what: str) -> str:
    """How many intervals leave zero out, or that none is known; empty if there are none of what they would be of.

    Args:
        intervals: bounds ``low`` and ``high``; None where it is unknown.
        what: what they are of, in the plural.

    >>> without_zero([{"low": -0.1, "high": 0.2}, {"low": 0.1, "high": 0.2}, None], "effects")
    '1 of 3 effects has an interval without zero.'
    >>> without_zero([None, None], "effects")
    'No interval is known of any of 2 effects.'
    """
    if intervals and not any(intervals):
        return f"No interval is known of any of {len(intervals)} {what}."
    clear = sum(each is not None and not each["low"] <= 0 <= each["high"] for each in intervals)
    have = "has" if clear == 1 else "have"
    return f"{clear} of {len(intervals)} {what} {have} an interval without zero." if intervals else ""


def few_wearers(per_subject: Mapping[str, Any]) -> str:
    """A warning where fewer than five wearers were tested; else empty."""
    people = len(per_subject)
    if people >= ENOUGH_PEOPLE:
        return ""
    return f"Only {people} {'wearer was' if people == 1 else 'wearers were'} tested: others may be unlike all of them."


def most_confused(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> str:
    """The pair of classes with the most confused windows; empty if there is none."""
    pairs = [
        (count, true, given)
        for true, row in enumerate(confusion)
        for given, count in enumerate(row)
        if true != given and count
    ]
    if not pairs:
        return ""
    count, true, given = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
    total = sum(confusion[true])
    share = share_text(count, total)
    return f"Most confused: {count:,} of {total:,} windows of {labels[true]} ({share}) taken for {labels[given]}."


def weakest_class(per_class: Mapping[str, float | None]) -> str:
    """The class of the lowest F1; empty where it is 0, of which :func:`missed_classes` tells more."""
    return "" if 0 in per_class.values() else _weakest("class", "F1", per_class)


def weakest_wearer(per_subject: Mapping[str, float | None]) -> str:
    """The wearer of the lowest macro-F1.

    >>> weakest_wearer({"ada": 0.75, "eve": 0.5, "bob": None})
    'Weakest wearer: eve, macro-F1 0.500.'
    """
    return _weakest("wearer", "macro-F1", per_subject)


def _weakest(what: str, score: str, values: Mapping[str, float | None]) -> str:
    """The lowest of several scores; empty where there is one only, or nothing below 1."""
    known = {name: value for name, value in values.items() if value is not None}
    lowest = min(known, key=known.__getitem__, default=None)
    if lowest is None or len(known) < 2 or known[lowest] >= 1:
        return ""
    return f"Weakest {what}: {lowest}, {score} {known[lowest]:.3f}."
