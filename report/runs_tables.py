"""Tables of a comparison of runs, the same on the page and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deseptr.contract.counts import counted
from deseptr.evaluate.markdown import ENOUGH_PEOPLE, FEW_PEOPLE, NONE, figure, interval_of_people, markdown_table

Table = tuple[list[str], list[list[str]]]
EXPLANATION = (
    "Macro-F1 and accuracy are of all test windows, ± the standard deviation over seeds. "
    "The 95 % interval is a bootstrap over test subjects; a dash means that the run did not keep the data for it. "
    "MACs are the multiply-accumulates of one window from raw samples to logits, of the float network at batch 1; "
    "a random forest compares and does not multiply, and has none. "
    "Minutes are of the whole run: its teacher, and all folds of a cross-validation. "
    "Windows/s is the training's median over epochs."
)


def kinds(section: dict[str, Any]) -> list[str]:
    """The kinds that a section has figures of: float, int8."""
    return [kind for kind in ("float", "int8") if any(kind in group for group in section["groups"])]


def title(section: dict[str, Any]) -> str:
    """Dataset and protocol in one line."""
    protocol = "" if section["protocol"] == "held-out subjects" else f"{section['protocol']}, "
    return f"{section['dataset']}: {protocol}{_held_out(section)}"


def description(section: dict[str, Any]) -> str:
    """The setting in one or two sentences."""
    folds = len(section["folds"])
    of_folds = f"{folds} folds, " if folds > 1 else ""
    few = f" {FEW_PEOPLE}" if len(_tested(section)) < ENOUGH_PEOPLE else ""
    return (
        f"{of_folds}{section['windows']:,} test windows of {section['window_s']:g} s, "
        f"{section['overlap']:.0%} overlapping, of {len(_tested(section))} of "
        f"{counted(len(section['subjects']), 'subject')}; "
        f"{counted(len(section['labels']), 'class')}: {', '.join(section['labels'])}.{few}"
    )


def models_table(section: dict[str, Any]) -> Table:
    """One row per model: cost, scores and duration of the training."""
    shown = kinds(section)
    over_folds = any(group["float"]["over_folds"] for group in section["groups"])
    head = ["model", "seed", "parameters", "MACs"]
    for kind in shown:
        head += [f"macro-F1 {kind}", "95 % interval"]
    head += ["mean of folds"] * over_folds + ["accuracy", "ECE", "minutes", "windows/s"]
    people = len(_tested(section))
    return head, [_model_row(group, shown, over_folds, people) for group in section["groups"]]


def classes_table(section: dict[str, Any]) -> Table:
    """F1 of each class, one row per model."""
    return _f1_table(section, "per_class_f1", section["labels"])


def subjects_table(section: dict[str, Any]) -> Table:
    """Macro-F1 of each subject, one row per model."""
    return _f1_table(section, "per_subject_f1", list(section["groups"][0]["float"]["per_subject_f1"]))


def confusion_table(section: dict[str, Any], group: dict[str, Any], kind: str) -> Table:
    """Counts of windows, true classes down."""
    labels = section["labels"]
    rows = [[label, *map(str, row)] for label, row in zip(labels, group[kind]["confusion"], strict=True)]
    return ["true \\ predicted", *labels], rows


def reliability_table(group: dict[str, Any], kind: str) -> Table:
    """Confidence and accuracy of each bin that has a window."""
    bins = [each for each in group[kind]["reliability"] or () if each["windows"]]
    rows = [[str(b["windows"]), f"{b['confidence']:.3f}", f"{b['accuracy']:.3f}"] for b in bins]
    return ["windows", "confidence", "accuracy"], rows


def origins_table(section: dict[str, Any]) -> Table:
    """Header and rows: origin of each run."""
    body = []
    for group in section["groups"]:
        for run in group["runs"]:
            commits = ", ".join(run["commits"]) or NONE
            body.append([group["label"], str(run["seed"]), run["path"], commits, run["command"] or NONE])
    return ["model", "seed", "run", "commit", "command"], body


def markdown(report: dict[str, Any]) -> str:
    """The comparison as a Markdown page; learning curves are only on the HTML page and in the JSON."""
    lines = ["# Runs compared", "", EXPLANATION, ""]
    for section in report["sections"]:
        lines += [f"## {title(section)}", "", description(section), "", *_lines(models_table(section))]
        lines += ["### What made them", "", *_lines(origins_table(section))]
        lines += ["### F1 of each class", "", *_lines(classes_table(section))]
        lines += ["### Macro-F1 of each subject", "", *_lines(subjects_table(section))]
        for group in section["groups"]:
            for kind in (kind for kind in kinds(section) if kind in group):
                lines += [
                    f"### {group['label']}, {kind}: confusion",
                    "",
                    *_lines(confusion_table(section, group, kind)),
                ]
                if group[kind]["reliability"]:
                    lines += [f"### {group['label']}, {kind}: reliability", "", *_lines(reliability_table(group, kind))]
    if report["left_out"]:
        lines += ["Left out because incomplete: " + ", ".join(report["left_out"]), ""]
    return "\n".join(lines)


def _model_row(group: dict[str, Any], shown: Sequence[str], over_folds: bool, people: int) -> list[str]:
    of_float = group["float"]
    row = [("★ " if group["best"] else "") + group["label"], ", ".join(map(str, group["seeds"]))]
    row += [f"{group['parameters']:,}", si(group["macs"])]
    for kind in shown:
        row += (
            [_spread(group[kind]["macro_f1"]), interval_of_people(interval_text(group[kind]["interval"]), people)]
            if kind in group
            else [NONE, NONE]
        )
    if over_folds:
        row.append(_spread(of_float["over_folds"]) if of_float["over_folds"] else NONE)
    row += [_spread(of_float["accuracy"]), figure(of_float["ece"])]
    return [*row, figure(group["minutes"], ".1f"), figure(group["windows_per_s"], ",.0f")]


def _f1_table(section: dict[str, Any], name: str, columns: Sequence[str]) -> Table:
    rows = [
        [group["label"], *(figure(group["float"][name][column]) for column in columns)] for group in section["groups"]
    ]
    return ["float", *columns], rows


def _held_out(section: dict[str, Any]) -> str:
    tested = _tested(section)
    return f"held out {', '.join(tested)}" if len(section["folds"]) == 1 else f"{len(tested)} subjects in turn"


def _tested(section: dict[str, Any]) -> list[str]:
    return [subject for subjects in section["folds"].values() for subject in subjects]


def _spread(figures: dict[str, Any]) -> str:
    spread = "" if figures["std"] is None else f" ± {figures['std']:.3f}"
    return f"{figures['mean']:.3f}{spread}"


def interval_text(interval: dict[str, Any] | None) -> str:
    """Bounds of an interval; a dash for None."""
    return f"{interval['low']:.3f}–{interval['high']:.3f}" if interval else NONE


def si(count: int | None) -> str:
    """A count in thousands or millions."""
    if count is None:
        return NONE
    return f"{count / 1e6:.2f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def _lines(table: Table) -> list[str]:
    return [*markdown_table(*table), ""]
