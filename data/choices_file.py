"""``recordings.toml``: the choices of a reader, kept beside the data."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from deseptr.contract import DataError, atomic_write, check_replaceable, read_toml

from .read_options import ReadOptions

NAME = "recordings.toml"
_START = "# How `deseptr` reads the files beside it; written by `deseptr data import`.\n"


def choices_path(source: Path) -> Path:
    """Where the choices for a folder or file are kept."""
    return (source if source.is_dir() else source.parent) / NAME


def read_choices(source: Path) -> ReadOptions:
    """The choices beside a folder's files or a file; none if there is no such file.

    Raises:
        DataError: if it is no TOML, or has something else than choices.
    """
    path = choices_path(source)
    if not path.exists():
        return ReadOptions()
    try:
        table = read_toml(path)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise DataError(
            path, found=reason, expected="choices of a reader as TOML", next_step="correct the file or remove it"
        ) from error
    options = ReadOptions.of(table, str(path))
    return replace(options, segments=str(path.parent / options.segments)) if options.segments else options


def check_choices_output(source: Path) -> None:
    """Refuse to replace a ``recordings.toml`` of somebody's own.

    Raises:
        SetupError: if there is one that `deseptr data import` did not write.
    """
    check_replaceable(choices_path(source), _START.encode(), "choices that `deseptr data import` wrote", "folder")


def save_choices(source: Path, options: ReadOptions) -> Path:
    """Write the choices beside the data, atomically.

    Raises:
        SetupError: if the folder cannot be written, or has a ``recordings.toml`` of somebody's own.
    """
    check_choices_output(source)
    chosen = options.chosen()
    columns = chosen.pop("columns", {})
    if options.segments:
        # From the file on, so that the folder may be moved.
        chosen["segments"] = os.path.relpath(options.segments, choices_path(source).parent)
    lines = [f"{name} = {_toml(value)}\n" for name, value in chosen.items()]
    if columns:
        lines += ["\n[columns]\n", *(f"{_quoted(theirs)} = {_quoted(ours)}\n" for theirs, ours in columns.items())]
    path = choices_path(source)
    atomic_write(path, _START + "".join(lines))
    return path


def _toml(value: str | float | bool) -> str:
    return _quoted(value) if isinstance(value, str) else str(value).lower()


def _quoted(text: str) -> str:
    # A basic string of TOML is one of JSON, but for the character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
