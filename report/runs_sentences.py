"""A comparison of runs in plain sentences: the answer of each section, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deseptr.contract.counts import counted

from .score_sentences import bounds, few_wearers, where_it_errs


def section_answer(section: Mapping[str, Any]) -> str:
    """The macro-F1 of the only model, or of the highest of several, with its interval.

    Models whose figures are alike as they are shown are named together; see :func:`section_against`.
    """
    groups = section["groups"]
    best = groups[0]
    folds = len(section["folds"])
    where = f"{section['windows']:,} windows of {_wearers(best)}" + (f" in {folds} folds" if folds > 1 else "")
    if len(groups) == 1:
        return f"{best['label']}: macro-F1 {_f1(best['float'])} on {where}."
    shown = [f"{group['float']['macro_f1']['mean']:.3f}" for group in groups]
    if (tied := shown.count(shown[0])) > 1:
        *others, last = [group["label"] for group in groups[:tied]]
        names = f"{', '.join(others)} and {last}"
        return f"Of {len(groups)} models, {names} have the highest macro-F1, {shown[0]}, on {where}."
    return (
        f"Of {len(groups)} models, {best['label']} has the highest macro-F1, {_f1(best['float'])}, on {where}; next is "
        f"{groups[1]['label']} with {_f1(groups[1]['float'])}."
    )


def section_against(section: Mapping[str, Any]) -> list[str]:
    """What the answer leaves out: overlapping intervals, int8, weakest class and wearer, largest confusion."""
    groups = section["groups"]
    best, figures = groups[0], groups[0]["float"]
    lines = [few_wearers(figures["per_subject_f1"])]
    lines += [_overlap(*groups[:2])] if len(groups) > 1 else []
    lines += [_int8(best), *where_it_errs({**figures, "labels": section["labels"]})]
    return [line for line in lines if line]


def _f1(figures: Mapping[str, Any]) -> str:
    f1, interval = figures["macro_f1"], figures["interval"]
    spread = "" if f1["std"] is None else f" ± {f1['std']:.3f} over seeds"
    return f"{f1['mean']:.3f}{spread}{bounds(interval)}"


def _wearers(group: Mapping[str, Any]) -> str:
    return counted(len(group["float"]["per_subject_f1"]), "wearer")


def _overlap(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Whether the interval of the first model holds the figure of the second."""
    one, other = first["float"], second["float"]
    if one["interval"] is None:
        return f"No interval is known for {first['label']}."
    inside = one["interval"]["low"] <= other["macro_f1"]["mean"]
    return f"The interval of {first['label']} contains the macro-F1 of {second['label']}." if inside else ""


def _int8(group: Mapping[str, Any]) -> str:
    if "int8" not in group:
        return ""
    int8 = group["int8"]["macro_f1"]["mean"]
    difference = int8 - group["float"]["macro_f1"]["mean"]
    return f"In int8, its macro-F1 is {int8:.3f}, a difference of {difference:+.3f}." if difference < 0 else ""
