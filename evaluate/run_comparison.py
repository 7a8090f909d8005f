"""Runs side by side as plain JSON values: one section per setting, with one group for all seeds of a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import numpy as np

from deseptr.contract import seeds_interval
from deseptr.data.recording import natural_sorted

from .finished_run import KINDS, FinishedRun, Setting
from .mean_and_std import mean_and_std

_MISSING = "unset"


def compare(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """Compare runs that were tested on the same windows after training on the same subjects.

    Runs of one model that differ only in the seed form a group: ``mean`` and ``std`` (sample standard deviation, n − 1)
    are over its seeds, confusion matrices and calibration are pooled, and the interval is that of the mean over seeds.
    If a seed occurs twice, each run forms its own group. Groups are sorted by decreasing macro-F1.

    Args:
        runs: at least one run.
    """
    settings = list(dict.fromkeys(run.setting for run in runs))
    return {"sections": [_section(each, [run for run in runs if run.setting == each]) for each in settings]}


def _section(setting: Setting, runs: Sequence[FinishedRun]) -> dict[str, Any]:
    members = list(_groups(_distinct(runs)))
    groups = [_group(label, group) for label, group in zip(_labels(members), members, strict=True)]
    groups.sort(key=lambda group: -group["float"]["macro_f1"]["mean"])
    for place, group in enumerate(groups):
        group["best"] = place == 0 and len(groups) > 1
    return {
        **asdict(setting),
        "folds": {name: list(subjects) for name, subjects in setting.folds},
        "windows": sum(setting.windows),
        "groups": groups,
    }


def _distinct(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """The runs, with a teacher that several of them share only once."""
    seen: set[str] = set()
    kept = []
    for run in runs:
        identity = json.dumps([_kind(run), run.seed, run.figures["float"]["confusion"]])
        if not (run.teacher and identity in seen):
            kept.append(run)
        seen.add(identity)
    return kept


def _groups(runs: Sequence[FinishedRun]) -> Iterator[list[FinishedRun]]:
    for _, alike in groupby(sorted(runs, key=_kind), key=_kind):
        group = list(alike)
        if len({run.seed for run in group}) == len(group):
            yield sorted(group, key=lambda run: run.seed)
        else:
            yield from ([run] for run in group)


def _kind(run: FinishedRun) -> str:
    return json.dumps([run.model, run.teacher, run.settings], sort_keys=True)


def _labels(groups: Sequence[Sequence[FinishedRun]]) -> list[str]:
    """Name of the model; if several groups have it, with the settings or else the folder that distinguish them."""
    firsts = [group[0] for group in groups]
    return [_label(run, [other for other in firsts if _name(other) == _name(run)]) for run in firsts]


def _label(run: FinishedRun, namesakes: Sequence[FinishedRun]) -> str:
    names = dict.fromkeys(name for each in namesakes for name in each.settings)
    values = {name: [each.settings.get(name, _MISSING) for each in namesakes] for name in names}
    parts = [
        _name(run),
        *(f"{n} {run.settings.get(n, _MISSING)}" for n, v in values.items() if any(x != v[0] for x in v)),
    ]
    if sum(_kind(each) == _kind(run) for each in namesakes) > 1:
        parts.append(str(run.path))
    return ", ".join(parts)


def _name(run: FinishedRun) -> str:
    return f"{run.model} (teacher)" if run.teacher else run.model


def _group(label: str, runs: Sequence[FinishedRun]) -> dict[str, Any]:
    first = runs[0]
    return {
        "label": label,
        "model": first.model,
        "teacher": first.teacher,
        "settings": first.settings,
        "seeds": [run.seed for run in runs],
        "parameters": round(float(np.mean([run.parameters for run in runs]))),  # those of a forest depend on the seed
        "macs": first.macs,
        "minutes": _mean([run.minutes for run in runs]),
        "windows_per_s": _mean([run.windows_per_s for run in runs]),
        **{kind: _figures(runs, kind) for kind in KINDS if all(kind in run.figures for run in runs)},
        "runs": [_made(run) for run in runs],
    }


def _made(run: FinishedRun) -> dict[str, Any]:
    made = {"path": str(run.path), "seed": run.seed, "command": run.command, "commits": list(run.commits)}
    return {**made, "histories": run.histories}


def _figures(runs: Sequence[FinishedRun], kind: str) -> dict[str, Any]:
    figures = [run.figures[kind] for run in runs]
    subjects = natural_sorted(figures[0]["per_subject_f1"])
    return {
        "macro_f1": _of_seeds([each["macro_f1"] for each in figures]),
        "interval": _interval(runs, kind),
        "over_folds": figures[0]["over_folds"] if len(runs) == 1 else None,
        "accuracy": _of_seeds([each["accuracy"] for each in figures]),
        "ece": _mean([each["calibration"] and each["calibration"]["ece"] for each in figures]),
        "per_class_f1": _means([each["per_class_f1"] for each in figures], runs[0].setting.labels),
        "per_subject_f1": _means([each["per_subject_f1"] for each in figures], subjects),
        "confusion": np.sum([each["confusion"] for each in figures], axis=0).tolist(),
        "reliability": _reliability([each["calibration"] for each in figures]),
    }


def _interval(runs: Sequence[FinishedRun], kind: str) -> dict[str, Any] | None:
    """Interval of a single run; for several seeds that of their mean, which needs the predictions of all."""
    if len(runs) == 1:
        interval: dict[str, Any] | None = runs[0].figures[kind]["interval"]
        return interval
    confusions = [run.predictions.confusions(kind) for run in runs if run.predictions and kind in run.predictions.kinds]
    found = seeds_interval(np.stack(confusions), seed=runs[0].seed) if len(confusions) == len(runs) else None
    return found._asdict() if found else None


def _reliability(calibrations: Sequence[dict[str, Any] | None]) -> list[dict[str, Any]] | None:
    """The bins of all runs combined."""
    bins = [each["bins"] for each in calibrations if each]
    return [_pool(list(same)) for same in zip(*bins, strict=True)] if len(bins) == len(calibrations) else None


def _pool(bins: Sequence[dict[str, Any]]) -> dict[str, Any]:
    filled = [each for each in bins if each["windows"]]
    windows = sum(each["windows"] for each in filled)
    sums = {name: sum(each["windows"] * each[name] for each in filled) for name in ("confidence", "accuracy")}
    return {"windows": windows, **{name: total / windows if windows else None for name, total in sums.items()}}


def _of_seeds(values: Sequence[float]) -> dict[str, Any]:
    return {**mean_and_std(values), "values": list(values)}


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean, or None if any value is missing."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def _means(tables: Sequence[dict[str, float | None]], names: Sequence[str]) -> dict[str, float | None]:
    return {name: _mean([table[name] for table in tables]) for name in names}
