"""The summary of a curve of few labels as tables, and as a Markdown page that explains them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deseptr.contract import atomic_write
from deseptr.contract.counts import counted
from deseptr.evaluate.markdown import NONE, figure, markdown_table

PICTURE = "curve.svg"
Table = tuple[list[str], list[list[str]]]

READING = """\
Each fold and seed draws its own labelled wearers, the same for all arms; every class has a window of one of them where
that is possible. The labels of the others are not read. The teacher of both taught students learns from the labelled
wearers alone. CNN-HAR has the student's input, augmentation and epochs, an epoch is as long as with all labels, and the
last epoch is kept: no label of anyone else chooses it.

Macro-F1 is of the windows of all test wearers of a seed, averaged over the seeds; its 95\N{NO-BREAK SPACE}% interval is
of a bootstrap that resamples test wearers and seeds, each with replacement."""
READING_DIFFERENCES = """\
Differences in macro-F1, seed by seed, on the same wearers; their intervals resample both arms alike. An interval
without zero means that other wearers and seeds would hardly change the sign."""


def write_page(summary: dict[str, Any], out: Path) -> None:
    """Write ``curve.json`` and ``curve.md``."""
    atomic_write(out / "curve.json", json.dumps(summary, indent=2) + "\n")
    atomic_write(out / "curve.md", markdown(summary))


def curve_table(summary: dict[str, Any]) -> Table:
    """Header and rows of macro-F1 with its interval: a row for each arm, a column for each number of wearers."""
    labelled = list(dict.fromkeys(point["labelled"] for point in summary["points"]))
    found = {(point["arm"], point["labelled"]): point["macro_f1"] for point in summary["points"]}
    body = []
    for arm, title in summary["arms"].items():
        cells = [found.get((arm, count)) for count in labelled]
        if any(cells):
            body.append([title, *(NONE if f1 is None else _with_interval(f1, ".3f") for f1 in cells)])
    return ["labelled wearers", *map(str, labelled)], body


def difference_table(summary: dict[str, Any]) -> Table:
    """Header and rows of the differences between arms."""
    titles = summary["arms"]
    body = [
        [
            f"{titles[each['first']]} − {titles[each['second']]}",
            str(each["labelled"]),
            *_parts(each["macro_f1"], "+.3f"),
        ]
        for each in summary["differences"]
    ]
    return ["difference", "labelled wearers", "macro-F1", "std", "95\N{NO-BREAK SPACE}% interval"], body


def point_table(summary: dict[str, Any]) -> Table:
    """Header and rows of all figures of each arm at each number of wearers."""
    header = ["arm", "labelled wearers", "seeds", "macro-F1", "std", "95\N{NO-BREAK SPACE}% interval"]
    header += ["accuracy", "macro-F1, mean over folds", "parameters"]
    body = []
    for point in summary["points"]:
        names = [summary["arms"][point["arm"]], _wearers(point), str(len(point["seeds"]))]
        means = [figure(point[name]["mean"]) for name in ("accuracy", "over_folds")]
        body.append([*names, *_parts(point["macro_f1"], ".3f"), *means, f"{point['parameters']:,}"])
    return header, body


def headline(summary: dict[str, Any]) -> str:
    """One line: the data, and how much of the curve is complete."""
    protocol, folds = summary["protocol"]["name"], len(summary["protocol"]["folds"])
    return (
        f"{summary['finished']} of {counted(summary['wanted'], 'training')}: {summary['config']['model']} on "
        f"{summary['dataset']}, protocol {protocol}, {folds} fold{'s' * (folds != 1)}"
    )


def markdown(summary: dict[str, Any]) -> str:
    """The summary as a Markdown page."""
    lines = [f"# Few labels: {summary['config']['model']} on {summary['dataset']}", "", f"{headline(summary)}.", ""]
    lines += [f"![Macro-F1 against the number of labelled wearers]({PICTURE})", ""]
    lines += [*markdown_table(*curve_table(summary)), "", READING, ""]
    lines += ["## Differences", "", READING_DIFFERENCES, "", *markdown_table(*difference_table(summary)), ""]
    lines += ["## All figures", "", *markdown_table(*point_table(summary)), ""]
    settings = ", ".join(f"{name} {value}" for name, value in summary["config"].items())
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    lines += ["## How it was made", "", f"Settings of the student: {settings}.", ""]
    commits = f"; commit {', '.join(summary['commits'])}" if summary["commits"] else ""
    lines += [f"{summary['minutes']} minutes of training; {versions}{commits}."]
    if summary["command"]:
        lines += ["", "    " + summary["command"]]
    return "\n".join(lines) + "\n"


def _wearers(point: dict[str, Any]) -> str:
    return f"all ({point['wearers']:g})" if point["labelled"] == "all" else str(point["labelled"])


def _parts(f1: dict[str, Any], form: str) -> list[str]:
    interval = f1["interval"]
    between = f"{interval['low']:{form}} to {interval['high']:{form}}" if interval else NONE
    return [f"{f1['mean']:{form}}", figure(f1["std"]), between]


def _with_interval(f1: dict[str, Any], form: str) -> str:
    mean, _, between = _parts(f1, form)
    return mean if between == NONE else f"{mean} ({between})"
