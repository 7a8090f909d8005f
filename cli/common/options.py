"""Options that several commands share; values are checked while the command line is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from deseptr.contract.visible_text import visible

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


DATA_HELP = (
    "DATA is a .npz or .csv file, a folder of .csv files, the MotionSense or HAPT archive, `sample` or `synthetic`."
)
SUBJECTS = Subjects()
subjects_option = click.option("--subjects", type=SUBJECTS, help="Use only these subjects.")
unlabelled_option = click.option(
    "--unlabelled",
    metavar="DATA",
    help="Further recordings, which a distilled model learns from without labels: what they are, the teacher says.",
)
TESTED_HELP = "Subjects to measure. [default: the dataset's own test subjects, else all]"
HELD_OUT_HELP = "Subjects to hold out. [default: the dataset's own choice, else 25 %]"


def load_subjects(source: str, subjects: tuple[str, ...] | None) -> Dataset:
    """Load a dataset, or only the given subjects of it, and print its notes."""
    from deseptr.data import load_dataset

    dataset = load_dataset(source)
    if subjects:
        dataset = dataset.select(subjects=subjects)
    print_notes(dataset)
    return dataset


def load_learnable(source: str, subjects: tuple[str, ...] | None, unlabelled: str | None) -> Dataset:
    """Load a dataset as :func:`load_subjects` does, with further recordings to learn from without labels, if named."""
    dataset = load_subjects(source, subjects)
    return dataset.with_unlabelled(load_subjects(unlabelled, None)) if unlabelled else dataset


def print_notes(dataset: Dataset) -> None:
    """Print on stderr the oddities that the reader found and accepted."""
    for oddity in dataset.oddities:
        click.echo(f"note: {visible(oddity)}", err=True)


def choose_test_subjects(dataset: Dataset, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """Choose the subjects to measure: those wanted, else the dataset's test subjects, else all, with a note."""
    chosen = wanted or dataset.test_subjects
    if chosen:
        return chosen
    click.echo(
        f"note: all {len(dataset.subjects)} subjects are measured, including any that the model was trained on; "
        "choose held-out subjects with --test-subjects",
        err=True,
    )
    return dataset.subjects
