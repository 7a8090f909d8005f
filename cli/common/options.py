"""Options that several commands share; values are checked while the command line is parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
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
    "DATA is a .npz or .csv file, a folder of .csv files, "
    "the MotionSense, HAPT or UCI-HAR archive, `sample` or `synthetic`."
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


_READING = (
    click.option("--columns", metavar="THEIRS=OURS,…", help="Names of the header that differ, as x_acc=acc_x."),
    click.option("--time-unit", metavar="s|ms|us|ns|iso", help="Unit of a time whose name has none."),
    click.option("--units", metavar="ACC,GYRO", help="Units of columns whose names have none, as g,dps."),
    click.option("--encoding", metavar="NAME", help="Encoding of the text, as cp1252."),
    click.option("--subject-from", metavar="REGEX", help=r"The subject is what REGEX finds in a path, as 's(\d+)'."),
    click.option("--recording-from", metavar="REGEX", help="The same for the recording."),
    click.option("--label-from", metavar="REGEX", help="The same for the label."),
    click.option("--label", metavar="NAME", help="All of it is this activity."),
    click.option("--merge-alike", is_flag=True, help="Names that differ in case, blanks or hyphens only are one."),
    click.option("--fill-gaps", metavar="SECONDS", help="Interpolate gaps of up to this length, as 0.1."),
)
_READING_NAMES = (
    "columns",
    "time_unit",
    "units",
    "encoding",
    "subject_from",
    "recording_from",
    "label_from",
    "label",
    "fill_gaps",
    "merge_alike",
)


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how text files are read; the command gets those given as the mapping ``reading``."""

    @wraps(function)
    def command(*arguments: Any, **options: Any) -> Any:
        chosen = {name: options.pop(name) for name in _READING_NAMES}
        return function(*arguments, reading={name: value for name, value in chosen.items() if value}, **options)

    for option in reversed(_READING):
        command = option(command)
    return command


def load(source: str, reading: Mapping[str, str]) -> Dataset:
    """Load a dataset, text files as the options ``reading`` say."""
    from deseptr.data import ReadOptions, load_dataset

    return load_dataset(source, ReadOptions.of(reading))


def load_subjects(source: str, subjects: tuple[str, ...] | None, reading: Mapping[str, str]) -> Dataset:
    """Load a dataset, or only the given subjects of it, and print its notes."""
    dataset = load(source, reading)
    if subjects:
        dataset = dataset.select(subjects=subjects)
    print_notes(dataset)
    return dataset


def load_learnable(
    source: str, subjects: tuple[str, ...] | None, unlabelled: str | None, reading: Mapping[str, str]
) -> Dataset:
    """Load a dataset as :func:`load_subjects` does, with further recordings to learn from without labels, if named."""
    dataset = load_subjects(source, subjects, reading)
    return dataset.with_unlabelled(load_subjects(unlabelled, None, {})) if unlabelled else dataset


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
