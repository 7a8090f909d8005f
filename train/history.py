"""The history of a run as CSV, one row per epoch."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from deseptr.contract import ModelError, atomic_path, read_text

History = list[dict[str, Any]]


def epoch_line(row: dict[str, Any]) -> str:
    """One epoch of the history as a line of text."""
    validation = f"validation macro-F1 {row['val_macro_f1']:.3f}  " if "val_macro_f1" in row else ""
    return f"loss {row['loss']:.3f}  {validation}{row['windows_per_s']:.0f} windows/s"


def write_history(history: History, path: Path) -> None:
    """Write the history of all stages as CSV."""
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]) if history else ["stage"])
        writer.writeheader()
        writer.writerows(history)


def read_history(path: Path) -> History:
    """Read a history that :func:`write_history` wrote.

    Raises:
        ModelError: if the file is missing or not a history.
    """
    try:
        rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
        return [{name: text if name == "stage" else float(text) for name, text in row.items()} for row in rows]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise ModelError(
            path, found=f"no history ({error})", expected="a line for each epoch", next_step="train again"
        ) from error
