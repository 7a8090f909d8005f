"""Option types that several commands share; values are checked while the command line is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from deseptr.data import Dataset


class Subjects(click.ParamType[tuple[str, ...]]):
    """A list of subjects such as ``5,10,12-14``."""

    name = "SUBJECTS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse the list."""
        if isinstance(value, tuple):
            return value
        from deseptr.data import parse_subjects

        return parse_subjects(value)


DATA_HELP = "DATA is a .npz or .csv file, a folder of .csv files, the MotionSense or HAPT archive, or `synthetic`."
SUBJECTS = Subjects()


def note_oddities(dataset: Dataset) -> None:
    """Tell on stderr what the reader noticed and did not refuse."""
    for oddity in dataset.oddities:
        click.echo(f"note: {oddity}", err=True)


def choose_test_subjects(dataset: Dataset, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """On whom to measure: the subjects wanted, else those the dataset holds out, else all, and then a note says so."""
    chosen = wanted or dataset.test_subjects
    if chosen:
        return chosen
    click.echo(
        f"note: all {len(dataset.subjects)} subjects, whoever the model was trained on included; "
        "score those held out alone with --test-subjects",
        err=True,
    )
    return dataset.subjects
