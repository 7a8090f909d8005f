"""What the two commands that personalise a model share: the wearer's file, read, added to, undone and told of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.contract.counts import counted

if TYPE_CHECKING:
    from deseptr.contract import Mounting
    from deseptr.data import Dataset
    from deseptr.device.personal import Personal, WearerFile
    from deseptr.tflite import Engine, TfliteFile

SUFFIX = ".deseptr"


def output_of(output: Path | None, wearer: str) -> Path:
    """The wearer's file: the one that is named, else ``WEARER.deseptr`` in the working directory."""
    from deseptr.device.personal import check_wearer

    name = check_wearer(wearer)
    return output or Path(f"{Path(name).name or 'wearer'}{SUFFIX}")


def file_so_far(path: Path, model: TfliteFile) -> WearerFile | None:
    """The wearer's file if there is one.

    Raises:
        DataError: if it is something else, or for another model.
    """
    from deseptr.device.personal import WearerFile

    return WearerFile.load_for(path, model) if path.exists() else None


def undo(path: Path, model: TfliteFile, wearer: str) -> None:
    """Take the latest session out of a wearer's file; with the only one, the file is deleted.

    Raises:
        DataError: if there is no such file, or it is of another wearer or model.
    """
    from deseptr.device.personal import WearerFile

    before = WearerFile.load_for(path, model)
    before.check_of(wearer, path)
    left = before.undone()
    if left is None:
        path.unlink()
        click.echo(f"{path}: deleted, its only session is undone")
        return
    left.save(path)
    click.echo(f"{path}: the latest session is undone, {_sessions(left)} left")


def save_session(
    engine: Engine,
    model: TfliteFile,
    dataset: Dataset,
    wearer: str,
    new_labels: tuple[str, ...],
    output: Path,
    mounting: Mounting | str | None,
) -> None:
    """Make or extend a wearer's file by a session, and say how it does on what was recorded.

    Raises:
        DataError: as :func:`deseptr.device.personal.personalise`; the file stays as it was.
    """
    from deseptr.device.personal import personalise

    for name in dataset.label_names:
        if name not in (*engine.contract.labels, *new_labels):
            click.echo(f"note: {name} is no label of the model and left out; --new {name} adds it", err=True)
    before = file_so_far(output, model)
    made = personalise(engine, model, dataset, wearer, new_labels=new_labels, before=before, mounting=mounting)
    made.file.save(output)
    _tell(made, output)


def _tell(made: Personal, output: Path) -> None:
    from deseptr.device.personal.fit import results

    counts = ", ".join(f"{label} {count}" for label, count in made.file.counts().items())
    click.echo(f"{output}: {made.file.wearer}, {_sessions(made.file)}, windows: {counts}")
    for line in results(made):
        click.echo(line)


def _sessions(file: WearerFile) -> str:
    return counted(len(file.sessions), "session")
