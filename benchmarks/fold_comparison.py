"""Which model is better on the same folds? Cross-validations of `deseptr crossval`, compared fold by fold.

    python benchmarks/fold_comparison.py runs/rival=CNN-HAR runs/ours-0,runs/ours-1=DeSepTr > comparison.json

Each MODEL is the folders of one model's seeds and its name; the first is the one that the others are compared with.
Prints JSON: for each model its macro-F1, mean over folds of the mean over seeds, by Arena's rule too, in which a class
without a window in a fold counts 0, and for groups of classes; the figures of every fold; and the paired difference to
the first model with a 95 % interval over folds (bootstrap, 10,000 draws). Where a model has the first one's number of
seeds and the folders have predictions, ``minus_first_over_wearers`` is the difference of macro-F1 of all windows of
these folds, with a 95 % interval over wearers and seeds: a protocol of one fold has no other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, macro_f1, seeds_interval
from deseptr.train.predictions import Predictions

DRAWS = 10_000
Summary = dict[str, Any]


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="FOLDER[,FOLDER…]=MODEL…")
@click.option("--group", "groups", multiple=True, metavar="NAME=LABEL,…", help="Also compare the mean F1 of classes.")
def main(models: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """Compare models on the folds that all their cross-validations have."""
    named = {name: tuple(_read(folder) for folder in folders.split(",")) for folders, name in map(_split, models)}
    folds = _common_folds([summary for seeds in named.values() for summary in seeds])
    of_group = {name: labels.split(",") for labels, name in (_split(group)[::-1] for group in groups)}
    first = next(iter(named.values()))
    result = {
        "dataset": first[0]["dataset"],
        "data": first[0]["data"],
        "protocol": first[0]["protocol"]["name"],
        "folds": folds,
        "models": [_model(name, seeds, first, folds, of_group) for name, seeds in named.items()],
    }
    click.echo(json.dumps(result, indent=1))


def _split(text: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not separator:
        raise click.UsageError(f"{text}: expected FOLDERS=MODEL or NAME=LABELS")
    return left, right


def _read(folder: str) -> Summary:
    try:
        summary: Summary = json.loads((Path(folder) / "crossval.json").read_text())
    except (OSError, ValueError) as error:
        message = f"{folder}: found no crossval.json ({error}), expected a folder of `deseptr crossval`"
        raise click.UsageError(message) from error
    return {**summary, "folder": folder}


def _common_folds(summaries: list[Summary]) -> list[str]:
    keys = {(summary["data"], summary["protocol"]["window_s"], summary["protocol"]["overlap"]) for summary in summaries}
    if len(keys) > 1:
        raise click.UsageError(f"found cross-validations of {sorted(keys)}, expected the same data and windows")
    folds = [[each["fold"] for each in summary["folds"]] for summary in summaries]
    return [name for name in folds[0] if all(name in others for others in folds)]


def _model(
    name: str, seeds: tuple[Summary, ...], first: tuple[Summary, ...], folds: list[str], groups: dict[str, list[str]]
) -> dict[str, Any]:
    kinds = [kind for kind in ("float", "int8") if all(kind in each for each in seeds)]
    return {
        "model": name,
        "network": seeds[0]["model"],
        "parameters": seeds[0]["parameters"],
        "macs": next((fold["macs"] for fold in seeds[0]["folds"] if fold["macs"]), None),
        "seeds": [each["seed"] for each in seeds],
        "commands": [each["command"] for each in seeds],
        "commits": sorted({commit for each in seeds for commit in each["commits"] if commit}),
        **{kind: _figures(seeds, first, folds, groups, kind) for kind in kinds},
    }


def _figures(
    seeds: tuple[Summary, ...], first: tuple[Summary, ...], folds: list[str], groups: dict[str, list[str]], kind: str
) -> dict[str, Any]:
    labels = seeds[0]["protocol"]["labels"] or list(seeds[0][kind]["pooled"]["per_class_f1"])
    macro, rival = _by_fold(seeds, folds, kind), _by_fold(first, folds, "float")
    by_class = [_of_classes(each, folds, kind) for each in seeds]
    figures = {
        "macro_f1": float(macro.mean()),
        "by_seed": [float(values.mean()) for values in macro],
        "arena_macro_f1": float(np.mean([[sum(f.values()) / len(labels) for f in each] for each in by_class])),
        "groups": {
            name: float(np.mean([[np.mean([f[c] for c in wanted if c in f]) for f in each] for each in by_class]))
            for name, wanted in groups.items()
        },
        "accuracy": float(np.mean([each[kind]["mean"]["accuracy"] for each in seeds])),
        "folds": [
            {"fold": fold, "macro_f1": [round(float(v), 5) for v in macro[:, i]], "per_class_f1": _rounded(by_class, i)}
            for i, fold in enumerate(folds)
        ],
    }
    if seeds is not first:
        figures["minus_first"] = _difference(macro.mean(axis=0) - rival.mean(axis=0))
        figures["minus_first_over_wearers"] = _over_wearers(seeds, first, folds, kind)
    if kind == "int8":
        figures["agreement"] = float(np.mean([each[kind]["pooled"]["agreement"] for each in seeds]))
        figures["minus_float"] = _difference((macro - _by_fold(seeds, folds, "float")).mean(axis=0))
    return figures


def _by_fold(seeds: tuple[Summary, ...], folds: list[str], kind: str) -> NDArray[np.float64]:
    """Macro-F1 ``[seed, fold]``."""
    return np.array([[each[kind]["macro_f1"] for each in _chosen(summary, folds)] for summary in seeds])


def _of_classes(summary: Summary, folds: list[str], kind: str) -> list[dict[str, float]]:
    """F1 by class of each fold; classes without a window in the fold are left out."""
    found = []
    for each in _chosen(summary, folds):
        present = np.asarray(each[kind]["confusion"]).sum(axis=1) > 0
        scores = zip(each[kind]["labels"], present, strict=True)
        found.append({label: each[kind]["per_class_f1"][label] for label, there in scores if there})
    return found


def _chosen(summary: Summary, folds: list[str]) -> list[Summary]:
    by_name = {each["fold"]: each for each in summary["folds"]}
    return [by_name[name] for name in folds]


def _rounded(by_class: list[list[dict[str, float]]], fold: int) -> list[dict[str, float]]:
    return [{label: round(value, 4) for label, value in each[fold].items()} for each in by_class]


def _difference(by_fold: NDArray[np.float64]) -> dict[str, Any]:
    """Mean difference with a 95 % interval over folds."""
    drawn = np.random.default_rng(0).integers(0, len(by_fold), (DRAWS, len(by_fold)))
    low, high = np.percentile(by_fold[drawn].mean(axis=1), [2.5, 97.5])
    return {"mean": float(by_fold.mean()), "low": float(low), "high": float(high)}


def _over_wearers(
    seeds: tuple[Summary, ...], first: tuple[Summary, ...], folds: list[str], kind: str
) -> dict[str, Any] | None:
    """Difference of macro-F1 of all windows to the first model's in float; None where nothing can be paired."""
    if len(seeds) != len(first):
        return None
    try:
        own, rival = (
            np.stack([_confusions(each, folds, of) for each in models])
            for models, of in ((seeds, kind), (first, "float"))
        )
    except ModelError:
        return None
    interval = seeds_interval(own, rival, resamples=DRAWS)
    mean = macro_f1(own.sum(axis=1)).mean() - macro_f1(rival.sum(axis=1)).mean()
    bounds = {} if interval is None else {"low": interval.low, "high": interval.high}
    return {"wearers": own.shape[1], "mean": float(mean), **bounds}


def _confusions(summary: Summary, folds: list[str], kind: str) -> NDArray[np.int64]:
    """Confusion matrices ``[subject, true, predicted]`` of the windows of all folds."""
    files = [Path(summary["folder"]) / f"fold-{name}" / "predictions.npz" for name in folds]
    return Predictions.pool([Predictions.load(path) for path in files]).confusions(kind)


if __name__ == "__main__":
    main()
