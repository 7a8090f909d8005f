"""Finding runs: those of ``deseptr train`` and of ``deseptr crossval``, named or in folders that hold several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from deseptr.contract import ModelError
from deseptr.train.run_folder import RunFolder

from .finished_run import FinishedRun, read_crossval, read_train_run


class Found(NamedTuple):
    """The models of finished runs, and the folders of those that are not finished."""

    finished: list[FinishedRun]
    unfinished: list[Path]


def find_runs(paths: Sequence[Path]) -> Found:
    """Read the runs at paths and below them; one that is there twice is read once.

    Args:
        paths: run folders, folders of cross-validations, or folders that hold such, at any depth.

    Raises:
        ModelError: if a path is no run and holds none, no run is finished, or a file of a finished one cannot be read.
    """
    folders: dict[Path, Path] = {}
    for path in paths:
        below = list(_runs_at(path))
        if not below:
            raise ModelError(
                path,
                found="no run" if path.exists() else "no such folder",
                expected="a folder of `deseptr train` or `deseptr crossval`, or one that holds such",
                next_step="check the path",
            )
        folders.update({folder.resolve(): folder for folder in below})
    unfinished = [folder for folder in folders.values() if not _is_finished(folder)]
    if len(unfinished) == len(folders):
        raise ModelError(
            ", ".join(map(str, unfinished)),
            found="no finished run",
            expected="at least one",
            next_step="finish it with the command that began it, `deseptr train` with --resume",
        )
    finished = [model for folder in folders.values() if folder not in unfinished for model in _read(folder)]
    return Found(finished, unfinished)


def _runs_at(path: Path) -> Iterator[Path]:
    """The folder itself or, where it is no run, the runs below it; hidden folders and links are not followed."""
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
