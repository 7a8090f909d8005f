"""Options that several commands share; values are checked while the command line is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from deseptr.contract.visible_text import visible

from .numbers import real

if TYPE_CHECKING:
    from pathlib import Path

    from deseptr.contract import ModelContract
    from deseptr.data import Dataset

    Tested = tuple[Dataset, dict[str, Any]]
    """The recordings of the chosen subjects, and the fields of a report that say who they are."""


class Subjects(click.ParamType[tuple[str, ...]]):
    """A list of subjects such as ``5,10,12-14``."""

    name = "SUBJECTS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse the list."""
        if isinstance(value, tuple):
            return value
        from deseptr.data import parse_subjects

        return parse_subjects(value)


A_TFLITE = "a .tflite as MODEL"


def is_tflite(path: Path) -> bool:
    """Whether a model is one that an engine runs, whose threads can be chosen."""
    return path.suffix == ".tflite"


DATA_HELP = (
    "DATA is a .npz or .csv file, a folder of .csv files, recordings of an app or device, "
    "the archive of a data set, `sample` or `synthetic`."
)
SUBJECTS = Subjects()
subjects_option = click.option("--subjects", type=SUBJECTS, help="Use only these subjects.")
unlabelled_option = click.option(
    "--unlabelled",
    metavar="DATA",
    help="Further recordings, which a distilled model learns from without labels: what they are, the teacher says.",
)
TESTED_HELP = (
    "Subjects to measure, or all. [default: those that the model held out, else the dataset's own test subjects, else "
    "all]"
)
HELD_OUT_HELP = "Subjects to hold out. [default: the dataset's own choice, else 25 %]"


LABELS_HELP = "Use only these classes, by name or number, as walking,sitting or 1-6."
_EDITS = (
    click.option("--labels", help=LABELS_HELP),
    click.option("--drop-labels", metavar="LABELS", help="Use all classes but these."),
    click.option(
        "--rate", type=real(1, 10_000), metavar="HZ", help="Resample to this rate, band-limited. [default: DATA's own]"
    ),
)

_READING = (
    click.option("--columns", metavar="THEIRS=OURS,…", help="Names of the header that differ, as x_acc=acc_x."),
    click.option("--time-unit", metavar="s|ms|us|ns|iso", help="Unit of a time whose name has none."),
    click.option("--units", metavar="ACC[,GYRO[,MAG]]", help="Units of columns whose names have none, as g or g,dps."),
    click.option("--encoding", metavar="NAME", help="Encoding of the text, as cp1252."),
    click.option("--subject-from", metavar="REGEX", help=r"The subject is what REGEX finds in a path, as 's(\d+)'."),
    click.option("--recording-from", metavar="REGEX", help="The same for the recording."),
    click.option("--label-from", metavar="REGEX", help="The same for the label."),
    click.option("--label", metavar="NAME", help="All of it is this activity."),
    click.option("--segments", metavar="TABLE", help="A table start,end,label[,subject][,recording] has the labels."),
    click.option("--merge-alike", is_flag=True, help="Names that differ in case, blanks or hyphens only are one."),
    click.option("--placement", metavar="NAME", help="Of several in one recording, as watch or ankle."),
    click.option(
        "--channels",
        metavar="SENSORS",
        help="Use only these sensors, as acc or acc,gyro,mag. [default: all there are, but an app's magnetometer]",
    ),
    click.option("--fill-gaps", metavar="SECONDS", help="Interpolate gaps of up to this length, as 0.1."),
)
READING_NAMES = (
    "columns",
    "time_unit",
    "units",
    "encoding",
    "subject_from",
    "recording_from",
    "label_from",
    "label",
    "segments",
    "merge_alike",
    "placement",
    "channels",
    "fill_gaps",
)
READING_GROUP = {"Reading": READING_NAMES}
"""The section of these options in the help of a command."""


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how text files are read; the command gets those given as the mapping ``reading``."""

    @wraps(function)
    def command(*arguments: Any, **options: Any) -> Any:
        chosen = {name: options.pop(name) for name in READING_NAMES}
        return function(*arguments, reading={name: value for name, value in chosen.items() if value}, **options)

    for option in reversed(_READING):
        command = option(command)
    return command


def load(source: str, reading: Mapping[str, str]) -> Dataset:
    """Load a dataset, text files as the options ``reading`` say."""
    from deseptr.data import ReadOptions, load_dataset

    return load_dataset(source, ReadOptions.of(reading))


def load_as_imported(source: str) -> Dataset:
    """Load a dataset for a command without reading options: text files as what `data import` kept beside them says.

    Raises:
        DataError: where an option is the remedy, it says of which command.
    """
    from deseptr.contract import DataError
    from deseptr.data import load_dataset

    try:
        return load_dataset(source)
    except DataError as error:
        named = [f"--{name.replace('_', '-')}" for name in READING_NAMES]
        if not set(re.findall(r"--[a-z-]+", f"{error.expected} {error.next_step}")) & set(named):
            raise
        raise DataError(
            error.thing,
            found=error.found,
            expected=error.expected,
            next_step=f"{error.next_step}; `deseptr data import` has these options, and keeps them beside the data",
        ) from error


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
    if not unlabelled:
        return load_subjects(source, subjects, reading)
    from deseptr.data import followed_choices

    # The same choices read both; what one of them does not follow is meant for the other.
    theirs = followed_choices(unlabelled)
    own = followed_choices(source) if reading else ()
    ours = {name: value for name, value in reading.items() if name not in theirs or name in own}
    dataset = load_subjects(source, subjects, ours)
    return dataset.with_unlabelled(
        load_subjects(unlabelled, None, {name: value for name, value in reading.items() if name in theirs})
    )


def edits_options(command: Any) -> Any:
    """Add the options that choose labels and the rate, see :func:`edited`."""
    for option in reversed(_EDITS):
        command = option(command)
    return command


def edited(dataset: Dataset, labels: str | None, drop_labels: str | None, rate: float | None) -> Dataset:
    """The dataset with the chosen labels, without the dropped ones, at the chosen rate; what is not said stays."""
    from deseptr.data import edit_labels, parse_labels, resample_dataset

    if labels:
        dataset = dataset.select(labels=parse_labels(labels, dataset.label_names))
    if drop_labels:
        dataset = edit_labels(dataset, drop=parse_labels(drop_labels, dataset.label_names))
    return resample_dataset(dataset, rate) if rate else dataset


def print_notes(dataset: Dataset) -> None:
    """Print on stderr the oddities that the reader found and accepted."""
    for oddity in dataset.oddities:
        click.echo(f"note: {visible(oddity)}", err=True)


def choose_tested(dataset: Dataset, wanted: tuple[str, ...] | None, models: Mapping[Path, ModelContract]) -> Tested:
    """Choose the subjects that models are measured on, with a note if some may have been trained on."""
    from deseptr.evaluate.held_out_subjects import ALL, choose_subjects, remembered

    chosen, reason = choose_subjects(dataset, wanted, [remembered(path, of) for path, of in models.items()])
    if reason.startswith(ALL):
        click.echo(
            f"note: all subjects are measured ({len(chosen)}), including any that the model was trained on; "
            "choose held-out subjects with --test-subjects",
            err=True,
        )
    return dataset.select(subjects=chosen), {"subjects": list(chosen), "subjects_are": reason}


def tested_line(described: Mapping[str, Any], name: str) -> str:
    """Who is measured and why: ``subjects 5, 10 of motionsense, held out when it was trained``."""
    from deseptr.data.recording import subject_list

    return visible(f"{subject_list(described['subjects'])} of {name}, {described['subjects_are']}")
