"""Finding runs of ``deseptr train`` and ``deseptr crossval``, by path or in folders that contain several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from deseptr.contract import ModelError
from deseptr.train.run_folder import RunFolder

from .finished_run import FinishedRun, read_crossval, read_train_run


class Found(NamedTuple):
    """The models of complete runs, and the folders of incomplete ones."""

    finished: list[FinishedRun]
    unfinished: list[Path]


def find_runs(paths: Sequence[Path]) -> Found:
    """Read all runs at or below the paths; duplicates are read once.

    Args:
        paths: run folders, folders of cross-validations, or folders that contain these at any depth.

    Raises:
        ModelError: if a path contains no run, if no run is complete, or if a file of a complete run cannot be read.
    """
    folders: dict[Path, Path] = {}
    for path in paths:
        below = list(_runs_at(path))
        if not below:
            raise ModelError(
                path,
                found="no run" if path.exists() else "no such folder",
                expected="a folder of `deseptr train` or `deseptr crossval`, or one that contains such folders",
                next_step="check the path",
            )
        folders.update({folder.resolve(): folder for folder in below})
    unfinished = [folder for folder in folders.values() if not _is_finished(folder)]
    if len(unfinished) == len(folders):
        raise ModelError(
            ", ".join(map(str, unfinished)),
            found="no finished run",
            expected="at least one",
            next_step="finish it with the command that started it, `deseptr train` with --resume",
        )
    finished = [model for folder in folders.values() if folder not in unfinished for model in _read(folder)]
    return Found(finished, unfinished)


def _runs_at(path: Path) -> Iterator[Path]:
    """The folder itself or, if it is not a run, the runs below it; hidden folders and links are skipped."""
    if not path.is_dir():
        return
    if RunFolder(path).config.exists() or _is_crossval(path):
        yield path
        return
    for below in sorted(path.iterdir()):
        if not below.name.startswith(".") and not below.is_symlink():
            yield from _runs_at(below)


def _is_crossval(path: Path) -> bool:
    return (path / "crossval.json").exists() or any(path.glob("fold-*/job.json"))


def _is_finished(path: Path) -> bool:
    return (path / "crossval.json").exists() or RunFolder(path).metrics.exists()


def _read(path: Path) -> list[FinishedRun]:
    return [read_crossval(path)] if _is_crossval(path) else read_train_run(path)
