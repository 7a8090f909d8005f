"""``deseptr personalise``: the file of a wearer from recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.mounting import worn_mounting_option
from deseptr.cli.common.numbers import number
from deseptr.cli.common.option_rules import goes_with
from deseptr.cli.common.options import DATA_HELP, READING_GROUP, READING_NAMES, load_subjects, reading_options
from deseptr.cli.common.personal import output_of, save_session, undo as undo_session
from deseptr.contract.limits import ENGINE_THREADS

if TYPE_CHECKING:
    from deseptr.contract import Mounting

GROUPS = {
    "Wearer": ("wearer", "output", "subject", "new_labels", "mounting", "undo", "threads"),
    **READING_GROUP,
}


@click.command(
    cls=GroupedCommand,
    groups=GROUPS,
    help=f"""Correct MODEL for one wearer, by labelled recordings of 3 to 60 s of some or all activities.

The correction goes into a small file of its own, which `device run --wearer` reads; MODEL stays as it is. If the file
is there, the recordings are added to it. It is refused if it would make the wearer's own windows worse, each part told
by the rest. {DATA_HELP}
""",
    epilog="Example: deseptr personalise ms.tflite eve.csv --wearer eve -o eve.deseptr",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="[DATA]", required=False)
@click.option("--wearer", required=True, metavar="NAME", help="Name of the wearer.")
@click.option("--subject", metavar="S", help="With DATA of several people: the wearer's name there.")
@click.option("--new", "new_labels", multiple=True, metavar="LABEL", help="Add a label that MODEL lacks. Repeatable.")
@click.option("--undo", is_flag=True, help="Take the latest recordings out of the file again.")
@click.option("--threads", type=number(ENGINE_THREADS), default=1, show_default=True, help="Threads of the engine.")
@worn_mounting_option
@reading_options
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The wearer's file. [default: NAME.deseptr]"
)
@goes_with("source", "subject", "new_labels", "threads", "mounting", *READING_NAMES)
def personalise(
    model: Path,
    source: str | None,
    wearer: str,
    subject: str | None,
    new_labels: tuple[str, ...],
    undo: bool,
    threads: int,
    mounting: Mounting | str | None,
    reading: dict[str, str],
    output: Path | None,
) -> None:
    """Personalise a model."""
    from deseptr.tflite import load_engine, read_tflite

    if undo == (source is not None):
        raise click.UsageError("give either DATA or --undo")
    path, file = output_of(output, wearer), read_tflite(model)
    if undo:
        undo_session(path, file, wearer)
        return
    assert source is not None
    dataset = load_subjects(source, (subject,) if subject else None, reading)
    save_session(load_engine(model, threads=threads), file, dataset, wearer, new_labels, path, mounting)
