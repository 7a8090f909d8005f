"""What the pages of two studies share, the lab and the curve of few labels: caveats, and how the study was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .score_sentences import few_wearers, unfinished, without_zero


def study_against(
    summary: Mapping[str, Any], chance: str, intervals: Sequence[Mapping[str, float] | None], compared: str
) -> list[str]:
    """What the answer leaves out: missing trainings, few wearers, chance, and comparisons without a sign.

    Args:
        summary: content of the study's JSON.
        chance: in which way the answer may be chance; empty if in none.
        intervals: of the comparisons, bounds ``low`` and ``high``; None where it is unknown.
        compared: what they are of, in the plural.
    """
    tested = dict.fromkeys(name for fold in summary["protocol"]["folds"] for name in fold["test_subjects"])
    lines = [unfinished(summary), few_wearers(tested), chance, without_zero(intervals, compared)]
    return [line for line in lines if line]


def study_facts(summary: Mapping[str, Any]) -> list[list[str]]:
    """Names and values that say how the study was made."""
    return [
        ["minutes of training", f"{summary['minutes']:g}"],
        ["versions", ", ".join(f"{name} {version}" for name, version in summary["versions"].items())],
        ["commits", ", ".join(summary["commits"]) or "unknown"],
        ["command", summary["command"] or "unknown"],
    ]
