"""What many conversions say, in a row each, from what `deseptr convert RUN... -o MODELS` leaves beside each model.

    python benchmarks/conversions.py models > conversions.json

The arena is measured here in TensorFlow Lite Micro; everything else is read.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click

from deseptr.convert.micro.source import measure_arena
from deseptr.tflite import without_archive


@click.command()
@click.argument("models", type=click.Path(path_type=Path))
def main(models: Path) -> None:
    """Print a row for each model in a folder, and the extremes."""
    rows = [row(path) for path in sorted(models.glob("*.json"))]
    worst = {
        "agreement": min(r["agreement"] for r in rows),
        "accuracy_difference": min(r["accuracy_difference"] for r in rows),
        "macro_f1_difference": min(r["macro_f1_difference"] for r in rows),
        "nodes": max(r["nodes"] for r in rows),
        "bytes": max(r["bytes"] for r in rows),
        "arena_bytes": max(r["arena_bytes"] for r in rows),
        "non_int8": max(r["non_int8"] for r in rows),
        "casts": max(r["casts"] for r in rows),
    }
    windows = sum(r["windows"] for r in rows)
    pooled = sum(r["agreement"] * r["windows"] for r in rows) / windows
    json.dump(
        {"models": len(rows), "windows": windows, "agreement": pooled, "worst": worst, "rows": rows},
        sys.stdout,
        indent=1,
    )


def row(path: Path) -> dict[str, Any]:
    """The figures of one conversion."""
    reported = json.loads(path.read_text())
    parity = reported["parity"][1]
    flatbuffer = without_archive(path.with_suffix(".tflite").read_bytes())
    return {
        "model": path.stem,
        "windows": reported["windows"],
        "agreement": reported["agreement"],
        "accuracy_difference": parity["accuracy_difference"],
        "macro_f1_difference": parity["macro_f1_difference"],
        "macro_f1": reported["converted"]["macro_f1"],
        "nodes": reported["lint"]["nodes"],
        "non_int8": len(reported["lint"]["non_int8"]),
        "casts": reported["lint"]["quantize"] + reported["lint"]["dequantize"],
        "bytes": reported["bytes"],
        "arena_bytes": measure_arena(flatbuffer).bytes,
        "attempts": 1 + len(reported["earlier_attempts"]),
        "passed": reported["passed"],
        "sha256": reported["sha256"],
        "commit": reported["commit"],
    }


if __name__ == "__main__":
    main()
