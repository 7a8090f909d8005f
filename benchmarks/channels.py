"""What is a gyroscope worth? Cross-validations of acceleration alone beside those of six channels, on the same windows.

    deseptr crossval hapt.npz --protocol official --labels 1-6 --distillation none --validation 0 -o runs/six
    deseptr crossval hapt.npz --protocol official --labels 1-6 --distillation none --validation 0 --channels acc \
        -o runs/acc
    python benchmarks/channels.py runs/six,runs/acc > channels.json

Each argument is the folder of six channels and that of acceleration alone, of one data set; a cross-validation that was
interrupted goes on with the same command. Prints JSON: macro-F1 of both in float and int8 over all test windows, the F1
of each class, and the difference of int8 with a 95 % interval over test subjects (bootstrap, 2,000 draws).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from deseptr.contract import macro_f1, seeds_interval, subject_confusions


@click.command()
@click.argument("pairs", nargs=-1, required=True, metavar="SIX,ACC…")
def main(pairs: tuple[str, ...]) -> None:
    """Compare cross-validations of acceleration alone with those of six channels."""
    click.echo(json.dumps({"sets": [compared(*_split(pair)) for pair in pairs]}, indent=1))


def compared(six: Path, acc: Path) -> dict[str, Any]:
    """Figures of two cross-validations of the same protocol, whose test windows must be the same."""
    ours, theirs = (json.loads((folder / "crossval.json").read_text()) for folder in (acc, six))
    for name in ("dataset", "protocol", "seed", "model"):
        if ours[name] != theirs[name]:
            raise click.UsageError(f"{acc}: found {name} {ours[name]}, expected {theirs[name]}, as in {six}")
    found = {"six": predictions(six), "acc": predictions(acc)}
    for name in ("labels", "subjects"):
        if not np.array_equal(found["six"][name], found["acc"][name]):
            raise click.UsageError(f"{acc}: found other test windows than in {six}, expected the same {name}")
    counts = {name: _counts(part) for name, part in found.items()}
    interval = seeds_interval(counts["acc"][None], counts["six"][None])
    return {
        "dataset": theirs["dataset"],
        "protocol": theirs["protocol"]["name"],
        "seed": theirs["seed"],
        "windows": len(found["six"]["labels"]),
        "subjects": len(set(found["six"]["subjects"].tolist())),
        "six": _figures(theirs),
        "acc": _figures(ours),
        "acc_minus_six_int8": {
            "mean": float(macro_f1(counts["acc"].sum(0)) - macro_f1(counts["six"].sum(0))),
            "low": interval and interval.low,
            "high": interval and interval.high,
        },
    }


def predictions(folder: Path) -> dict[str, NDArray[Any]]:
    """Labels, subjects and int8 logits of the test windows of all folds."""
    files = [dict(np.load(path)) for path in sorted(folder.glob("fold-*/predictions.npz"))]
    if not files:
        raise click.UsageError(f"{folder}: found no fold-*/predictions.npz, expected a folder of `deseptr crossval`")
    return {name: np.concatenate([file[name] for file in files]) for name in ("labels", "subjects", "int8_logits")}


def _counts(part: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    logits = part["int8_logits"]
    return subject_confusions(part["labels"], logits.argmax(axis=1), part["subjects"], logits.shape[1])


def _figures(summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "command": summary["command"],
        "commits": summary["commits"],
        "parameters": summary["parameters"],
        "macs": summary["macs"],
        "minutes": summary["minutes"],
        **{
            kind: {
                "macro_f1": summary[kind]["pooled"]["macro_f1"],
                "per_class_f1": {
                    name: round(value, 4) for name, value in summary[kind]["pooled"]["per_class_f1"].items()
                },
            }
            for kind in ("float", "int8")
        },
    }


def _split(text: str) -> tuple[Path, Path]:
    parts = text.split(",")
    if len(parts) != 2:
        raise click.UsageError(f"{text}: expected two folders, SIX,ACC")
    return Path(parts[0]), Path(parts[1])


if __name__ == "__main__":
    main()
