"""Summary of a cross-validation: figures of each fold, over the folds and of all windows pooled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import atomic_write
from deseptr.contract.counts import counted
from deseptr.data import FoldProtocol
from deseptr.train.predictions import Predictions

from .fold_job import FoldResult
from .markdown import ENOUGH_PEOPLE, figure, markdown_table

_MEASURES = ("accuracy", "macro_f1", "ece")


def summarise(results: Sequence[FoldResult], protocol: FoldProtocol, dataset: str, command: str = "") -> dict[str, Any]:
    """Figures of complete folds as plain JSON values.

    ``mean`` and ``std`` (sample standard deviation, n − 1) are over the folds, as in published figures of a protocol;
    ``pooled`` has the windows of all folds in one confusion matrix, ``interval`` its bootstrap interval over subjects.

    Args:
        results: at least one complete fold.
        protocol: protocol of the folds.
        dataset: name of the dataset.
        command: command line to record.
    """
    first = results[0]
    pooled = Predictions.pool([result.predictions for result in results])
    seed = first.job.config.seed
    return {
        "command": command,
        "dataset": dataset,
        "data": first.job.data,
        "protocol": protocol.to_dict(),
        "folds_run": [result.job.fold.name for result in results],
        "folds_of_protocol": len(protocol.folds),
        "seed": seed,
        "model": first.figures["model"],
        "parameters": first.figures["parameters"],
        "macs": first.figures.get("macs"),  # absent in folds of an older version
        **{kind: _over_folds(results, kind, pooled, seed) for kind in pooled.kinds},
        "minutes": round(sum(result.figures["minutes"] for result in results), 2),
        "config": first.job.settings()["config"],
        "versions": versions_of(results),
        "commits": commits_of(results),
        "machine": first.figures["machine"],
        "folds": [{k: v for k, v in result.figures.items() if k != "job"} for result in results],
    }


def write_summary(summary: dict[str, Any], out: Path) -> None:
    """Write ``crossval.json`` and ``crossval.md``."""
    atomic_write(out / "crossval.json", json.dumps(summary, indent=2) + "\n")
    atomic_write(out / "crossval.md", markdown(summary))


def kinds(summary: dict[str, Any]) -> list[str]:
    """The models that a summary has figures of, ``float`` first."""
    return [kind for kind in ("float", "int8") if kind in summary]


def rows(summary: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: one row per fold, then mean, standard deviation and all windows pooled."""
    names = kinds(summary)
    header = ["fold", "test subjects", "windows"]
    header += [f"{measure} {kind}" for measure in ("macro-F1", "accuracy", "ECE") for kind in names]
    body = []
    for fold in summary["folds"]:
        cells = [fold["fold"], ", ".join(fold["subjects"]["test"]), str(fold["windows"]["test"])]
        body.append(cells + _cells(_measures(fold[kind]) for kind in names))
    for title in ("mean", "std"):
        body.append([title, "", "", *_cells(summary[kind][title] for kind in names)])
    windows = str(summary[names[0]]["pooled"]["windows"])
    body.append(["pooled", "", windows, *_cells(_measures(summary[kind]["pooled"]) for kind in names)])
    return header, body


def markdown(summary: dict[str, Any]) -> str:
    """The summary as a Markdown page."""
    header, body = rows(summary)
    lines = [f"# {summary['model']} on {summary['dataset']}, protocol {summary['protocol']['name']}", ""]
    lines += [f"{headline(summary)}.", ""]
    lines += [*markdown_table(header, body), ""]
    if labelled := labelled_subjects(summary):
        lines += [f"{labelled}.", ""]
    for kind in kinds(summary):
        labels = summary[kind]["pooled"]["labels"]
        matrix = summary[kind]["pooled"]["confusion"]
        body = [[label, *map(str, row)] for label, row in zip(labels, matrix, strict=True)]
        lines += [f"## Pooled confusion matrix, {kind} (true × predicted)", ""]
        lines += [*markdown_table(["", *labels], body), ""]
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    lines += [f"Seed {summary['seed']}; {summary['minutes']} minutes of folds; {versions}."]
    if summary["command"]:
        lines += ["", "    " + summary["command"]]
    return "\n".join(lines) + "\n"


def labelled_subjects(summary: dict[str, Any]) -> str:
    """One line: whose labels each fold used, if the settings chose among the training subjects; else empty."""
    if not summary["config"].get("labelled_subjects"):
        return ""
    chosen = [f"{', '.join(fold['subjects']['labelled'])} (fold {fold['fold']})" for fold in summary["folds"]]
    return f"labels used: subjects {'; '.join(chosen)}"


def headline(summary: dict[str, Any]) -> str:
    """One line: number of folds, and macro-F1 with its interval."""
    done, total = len(summary["folds_run"]), summary["folds_of_protocol"]
    parts = []
    for kind in kinds(summary):
        figures = summary[kind]
        interval = figures["interval"]
        people = len(figures["pooled"]["per_subject_f1"])
        few = ", who are too few for it to say much" if people < ENOUGH_PEOPLE else ""
        between = f", pooled {figures['pooled']['macro_f1']:.3f}" + (
            f" (95 % interval over {counted(people, 'subject')}{few}: {interval['low']:.3f} to {interval['high']:.3f})"
            if interval
            else ""
        )
        parts.append(f"macro-F1 {kind} {figures['mean']['macro_f1']:.3f} mean over folds{between}")
    agreement = f"; same class on {summary['int8']['pooled']['agreement']:.2%}" if "int8" in summary else ""
    return f"{done} of {counted(total, 'fold')}: " + "; ".join(parts) + agreement


def _over_folds(results: Sequence[FoldResult], kind: str, pooled: Predictions, seed: int) -> dict[str, Any]:
    values = np.array([list(_measures(result.figures[kind]).values()) for result in results])
    spread = values.std(axis=0, ddof=1).tolist() if len(values) > 1 else [None] * len(_MEASURES)
    interval = pooled.interval(kind, seed)
    return {
        "mean": dict(zip(_MEASURES, values.mean(axis=0).tolist(), strict=True)),
        "std": dict(zip(_MEASURES, spread, strict=True)),
        "interval": interval._asdict() if interval else None,
        "pooled": pooled.figures(kind),
    }


def _measures(figures: dict[str, Any]) -> dict[str, float]:
    return {
        "accuracy": figures["accuracy"],
        "macro_f1": figures["macro_f1"],
        "ece": figures["calibration"]["ece"],
    }


def _cells(models: Any) -> list[str]:
    """Cells by measure, with the models side by side."""
    found = list(models)
    values = [model[measure] for measure in ("macro_f1", "accuracy", "ece") for model in found]
    return [figure(value) for value in values]


def versions_of(results: Sequence[FoldResult]) -> dict[str, str]:
    """Version of each package; several if folds were run with different ones."""
    names = dict.fromkeys(name for result in results for name in result.figures["versions"])
    return {n: " / ".join(sorted({result.figures["versions"].get(n, "none") for result in results})) for n in names}


def commits_of(results: Sequence[FoldResult]) -> list[str]:
    """Source commits that produced the folds, if known."""
    return sorted({commit for result in results if (commit := result.figures.get("commit"))})
