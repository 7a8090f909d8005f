"""The summary of the distillation lab as tables, and as a Markdown page that explains them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deseptr.contract import atomic_write
from deseptr.contract.counts import counted
from deseptr.data.recording import subject_list
from deseptr.evaluate.markdown import ENOUGH_PEOPLE, NONE, figure, markdown_table

Table = tuple[list[str], list[list[str]]]
_INTERVAL = "95\N{NO-BREAK SPACE}% interval"

_READING = """\
Macro-F1 and accuracy are of the test subjects' windows, averaged over the seeds; std is over the seeds. A seed draws
the validation subjects, the initial weights, the order of examples and the augmentation; the test subjects are the same
for all. All cells of a seed share its teacher, and start from the same weights where these are not the teacher's.
{kept} The intervals are of a bootstrap that resamples test subjects and seeds, each with replacement{narrow}."""

_CHOSEN = """\
Which epoch of a student is kept was chosen by the macro-F1 of its {head} head on the validation subjects, whichever
head a row reads."""
_LAST = "The last epoch of a student is kept."

_EFFECTS = """\
Each row is the difference in macro-F1 between two variants that differ in that factor only, seed by seed, and its
interval resamples both variants alike; stems and distillations are compared at the {head} head.
An interval without zero means that other wearers and seeds would hardly change the sign; of twenty rows without any
effect, one would have such an interval by chance."""


def write_page(summary: dict[str, Any], out: Path) -> None:
    """Write ``lab.json`` and ``lab.md``."""
    atomic_write(out / "lab.json", json.dumps(summary, indent=2) + "\n")
    atomic_write(out / "lab.md", markdown(summary))


def cell_table(summary: dict[str, Any]) -> Table:
    """Header and rows of the cells, each at each head, the teacher first."""
    header = ["cell", "head", "macro-F1", "std", _INTERVAL, "accuracy"]
    return _with_seeds(header, [_names(row) + _figures(row) for row in summary["rows"]], summary["rows"])


def effect_table(summary: dict[str, Any]) -> Table:
    """Header and rows of the effects."""
    header = ["difference", "at", "macro-F1", "std", _INTERVAL]
    body = []
    for effect in summary["effects"]:
        difference = effect["difference"]
        figures = [f"{difference['mean']:+.3f}", figure(difference["std"]), _interval(difference["interval"], "+.3f")]
        body.append([effect["contrast"], effect["at"], *figures])
    return _with_seeds(header, body, summary["effects"])


def headline(summary: dict[str, Any]) -> str:
    """One line: the test, and how much of the grid is complete."""
    (fold,) = summary["protocol"]["folds"]
    windows = next(iter(summary["windows"].values()))["test"]
    return (
        f"{summary['finished']} of {counted(summary['wanted'], 'training')}: {summary['model']} on "
        f"{summary['dataset']}, protocol {summary['protocol']['name']}, fold {fold['name']}: "
        f"{counted(windows, 'window')} of {subject_list(fold['test_subjects'])}"
    )


def markdown(summary: dict[str, Any]) -> str:
    """The summary as a Markdown page."""
    lines = [f"# Distillation lab: {summary['model']} on {summary['dataset']}", "", f"{headline(summary)}.", ""]
    lines += ["## Cells", "", reading(summary), "", *markdown_table(*cell_table(summary)), ""]
    lines += ["## Effects", "", reading_effects(summary), "", *markdown_table(*effect_table(summary)), ""]
    lines += ["## How it was made", "", *markdown_table(*_window_table(summary)), ""]
    settings = ", ".join(f"{name} {value}" for name, value in summary["config"].items())
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    lines += [f"Settings: {settings}; classes {', '.join(summary['protocol']['labels'])}.", ""]
    commits = f"; commit {', '.join(summary['commits'])}" if summary["commits"] else ""
    lines += [f"{summary['minutes']} minutes of training; {versions}{commits}."]
    if summary["command"]:
        lines += ["", "    " + summary["command"]]
    return "\n".join(lines) + "\n"


def reading(summary: dict[str, Any]) -> str:
    """Explanation of the cells."""
    (fold,) = summary["protocol"]["folds"]
    count = len(fold["test_subjects"])
    narrow = "; with few of either they are rather too narrow"
    if count < ENOUGH_PEOPLE:
        narrow = f"; over {count} test subjects they say next to nothing"
    kept = _CHOSEN.format(head=summary["head"]) if summary["config"]["validation"] else _LAST
    return _READING.format(kept=kept, narrow=narrow if count > 1 else "; of one test subject there are none")


def reading_effects(summary: dict[str, Any]) -> str:
    """Explanation of the effects."""
    return _EFFECTS.format(head=summary["head"])


def _window_table(summary: dict[str, Any]) -> Table:
    header = ["seed", "training windows", "validation windows", "test windows", "validation subjects"]
    body = []
    for seed, windows in summary["windows"].items():
        counts = [str(windows[part]) for part in ("training", "validation", "test")]
        body.append([seed, *counts, ", ".join(summary["subjects"][seed]["validation"])])
    return header, body


def _names(row: dict[str, Any]) -> list[str]:
    if row["distillation"] is None:
        return ["teacher", NONE]
    temperature = f" T={row['temperature']:g}" if row["temperature"] != 1 else ""
    kind = " int8" if row["kind"] == "int8" else ""
    return [f"{row['distillation']}{temperature} {row['stem']}", row["head"] + kind]


def _figures(row: dict[str, Any]) -> list[str]:
    f1 = row["macro_f1"]
    between = _interval(f1["interval"], ".3f")
    return [figure(f1["mean"]), figure(f1["std"]), between, figure(row["accuracy"]["mean"])]


def _with_seeds(header: list[str], body: list[list[str]], entries: list[dict[str, Any]]) -> Table:
    """The table, with a column for the number of seeds if it is not the same for all."""
    counts = [str(len(entry["seeds"])) for entry in entries]
    if len(set(counts)) < 2:
        return header, body
    return [*header, "seeds"], [[*row, count] for row, count in zip(body, counts, strict=True)]


def _interval(interval: dict[str, float] | None, form: str) -> str:
    return f"{interval['low']:{form}} to {interval['high']:{form}}" if interval else NONE
