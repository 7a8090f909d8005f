"""``deseptr data``: look at recordings, label them, change their layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from deseptr.contract.counts import counted
from deseptr.contract.visible_text import visible

from .common.grouped import GroupedCommand
from .common.messages import suggest_training
from .common.numbers import real, whole
from .common.option_rules import goes_with
from .common.options import DATA_HELP, READING_GROUP, load, print_notes, reading_options
from .label import label

if TYPE_CHECKING:
    from rich.table import Table

    from deseptr.data import Dataset, DatasetInfo

_SHADES = ("·", "░", "▒", "▓", "█")
_BAR_WIDTH = 24
_MAX_GAPS = 8
_LARGEST_KEY = 4096


@click.group(epilog="Example: deseptr data info walk.csv")
def data() -> None:
    """Look at recordings, label them, change their layout."""


data.add_command(label)


@data.command(
    cls=GroupedCommand,
    groups={"Results": ("window_s", "as_json", "plot"), **READING_GROUP},
    short_help="Show subjects, labels, rate, gaps and oddities of DATA.",
    epilog="Example: deseptr data info synthetic --plot synthetic.png",
    help=f"Show subjects, labels, rate, units, gaps and oddities of DATA. {DATA_HELP}",
)
@click.argument("source", metavar="DATA")
@reading_options
@click.option("--window-s", type=real(0.1, 600), help="Length of a window for the number of windows. [default: 2.56]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--plot", type=click.Path(dir_okay=False), help="Also plot the data to this .png, .svg or .pdf file.")
def info(source: str, reading: dict[str, str], window_s: float | None, as_json: bool, plot: str | None) -> None:
    """Show subjects, labels, minutes, rate, units, gaps and oddities."""
    from deseptr.data import describe, plot_dataset

    dataset = load(source, reading)
    figures = describe(dataset, window_s) if window_s else describe(dataset)
    if plot:
        plot_dataset(dataset, plot)
    if as_json:
        _print_json(figures.to_dict())
        return
    _print_info(figures)
    if plot:
        click.echo(f"picture: {plot}")


@data.command(
    cls=GroupedCommand,
    groups={
        "Layout": ("layout", "hmac_key_file"),
        "Changes": ("subjects", "merge", "rename", "drop_labels", "fraction", "seed", "rate"),
        **READING_GROUP,
    },
    short_help="Write DATA in another layout, with other labels or rate.",
    epilog="Example: deseptr data convert A_DeviceMotion_data.zip motionsense.npz --merge stairs=upstairs+downstairs",
    help=f"""Write DATA to OUT, a .npz or .csv file, or with --to a folder of another layout.

    First subjects are chosen, then labels are merged, renamed and dropped at once, then the share is drawn, then the
    rate is changed. Numbers of labels are those of `deseptr data info`. {DATA_HELP}
    """,
)
@click.argument("source", metavar="DATA")
@click.argument("out", type=click.Path())
@click.option(
    "--to",
    "layout",
    metavar="LAYOUT",
    help="npz, csv, edge-impulse, edge-impulse-cbor or motion-bids. [default: by the suffix of OUT]",
)
@click.option(
    "--hmac-key-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Sign Edge Impulse's samples with the project's HMAC key in FILE.",
)
@click.option("--subjects", help="Write only these subjects, as 5,10,12-14.")
@click.option("--merge", metavar="NEW=OLD+OLD,…", help="Make labels one, as still=sitting+standing.")
@click.option("--rename", metavar="OLD=NEW,…", help="Give labels other names, as wlk=walking.")
@click.option("--drop-labels", metavar="LABELS", help="Make samples of these labels unlabelled, as cycling,7-12.")
@click.option(
    "--fraction", type=real(0, 1, above=True), help="Write this share of each subject's samples of each label."
)
@click.option("--seed", type=whole(0, 2**32 - 1), help="Seed of the draw of --fraction. [default: 0]")
@click.option("--rate", type=real(1, 10_000), metavar="HZ", help="Resample to this rate, band-limited.")
@reading_options
@goes_with("fraction", "seed")
def convert(
    source: str, out: str, layout: str | None, hmac_key_file: str | None, reading: dict[str, str], **edits: Any
) -> None:
    """Write a dataset in another layout."""
    from deseptr.data import check_output, save_dataset

    key = _key(hmac_key_file) if hmac_key_file else None
    check_output(out, layout, key)
    dataset = _edited(load(source, reading), **edits)
    save_dataset(dataset, out, layout, key=key)
    print_notes(dataset)
    click.echo(f"{out}: {counted(len(dataset.recordings), 'recording')} of {counted(len(dataset.subjects), 'subject')}")
    suggest_training(out)


def _key(path: str) -> str:
    """The key in a file, without the end of its line."""
    from deseptr.contract import DataError, read_text

    try:
        key = read_text(path, _LARGEST_KEY).strip()
        if not key:
            raise ValueError("nothing in it")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise DataError(
            path, found=reason, expected="a key as text", next_step="copy it from the project's page of keys"
        ) from error
    return key


def _edited(
    dataset: Dataset,
    *,
    subjects: str | None,
    merge: str | None,
    rename: str | None,
    drop_labels: str | None,
    fraction: float | None,
    seed: int | None,
    rate: float | None,
) -> Dataset:
    """The dataset as the options of ``convert`` change it."""
    from deseptr.data import (
        edit_labels,
        parse_labels,
        parse_merge,
        parse_rename,
        parse_subjects,
        resample_dataset,
        take_fraction,
    )

    if subjects:
        dataset = dataset.select(subjects=parse_subjects(subjects))
    names = dataset.label_names
    dataset = edit_labels(
        dataset,
        merge=parse_merge(merge, names) if merge else None,
        rename=parse_rename(rename) if rename else None,
        drop=parse_labels(drop_labels, names) if drop_labels else (),
    )
    if fraction is not None:
        dataset = take_fraction(dataset, fraction, seed or 0)
    return resample_dataset(dataset, rate) if rate else dataset


@data.command(
    "import",
    cls=GroupedCommand,
    groups={"Results": ("out",), **READING_GROUP},
    short_help="Read files of other programs once, and keep how.",
    epilog="Example: deseptr data import watch -o watch.npz --subject-from 's(\\d+)'",
)
@click.argument("source", metavar="DATA", type=click.Path(exists=True))
@click.option("-o", "--output", "out", required=True, type=click.Path(dir_okay=False), help="A .npz or .csv file.")
@reading_options
def import_(source: str, out: str, reading: dict[str, str]) -> None:
    """Read recordings as they are, write them as OUT, and keep beside them how they were read.

    DATA is a .csv file, what an app or device wrote, or a folder of either, with subfolders. What a file does not say
    and what it can only mean is found out and said in a note; the rest are options. All of it goes into recordings.toml
    beside the data, which every command follows from then on; options win over it.
    """
    from deseptr.data import ReadOptions, check_output, import_dataset, save_dataset

    check_output(out)
    dataset, choices = import_dataset(source, ReadOptions.of(reading))
    save_dataset(dataset, out)
    print_notes(dataset)
    click.echo(f"{choices}: how they are read")
    click.echo(f"{out}: {counted(len(dataset.recordings), 'recording')} of {counted(len(dataset.subjects), 'subject')}")
    suggest_training(out)


def _duration(minutes: float) -> str:
    if minutes >= 60:
        return f"{minutes / 60:.2f} h"
    return f"{minutes:.1f} min" if minutes >= 1 else f"{60 * minutes:.1f} s"


def _print_json(content: dict[str, Any]) -> None:
    import json

    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _print_info(figures: DatasetInfo) -> None:
    from .common.tables import print_table

    rates = " to ".join(f"{rate:g}" for rate in dict.fromkeys((figures.rates_hz[0], figures.rates_hz[-1])))
    click.echo(
        f"{visible(figures.name)}: {_duration(figures.minutes)} in {counted(figures.recordings, 'recording')} of "
        f"{counted(len(figures.subjects), 'subject')} at {rates} Hz ({counted(figures.samples, 'sample')})\n"
    )
    for table in (_labels_table(figures), _channels_table(figures), _subjects_table(figures)):
        print_table(table)
    click.echo("█ the label's longest, ░ its shortest, · none; * held out for test\n")
    _print_gaps(figures)
    _print_oddities(figures)


def _table(*columns: str, title: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        min_width=len(title) + 2,
    )
    for column in columns:
        table.add_column(column, justify="left" if column in ("label", "channel", "unit", "in the file") else "right")
    return table


def _cell(name: str) -> str:
    """A name out of a recording for a table: neither the terminal nor the table takes a part of it for a command."""
    from rich.markup import escape

    return escape(visible(name))


def _labels_table(figures: DatasetInfo) -> Table:
    table = _table("#", "label", "minutes", "windows", title=f"Labels, and windows of {figures.window_s:g} s")
    table.add_column("")
    minutes = {name: value for name, value in figures.label_minutes.items() if name in figures.labels or value}
    longest = max(minutes.values())
    for index, (name, value) in enumerate(minutes.items(), 1):
        windows = str(figures.label_windows.get(name, ""))
        number = str(index) if index <= len(figures.labels) else "-"
        table.add_row(number, _cell(name), f"{value:.1f}", windows, "█" * round(_BAR_WIDTH * value / longest))
    return table


def _channels_table(figures: DatasetInfo) -> Table:
    table = _table("channel", "unit", "in the file", "smallest", "largest", "mean", "deviation", title="Channels")
    for channel in figures.channels:
        values = (channel.minimum, channel.maximum, channel.mean, channel.standard_deviation)
        table.add_row(channel.name, channel.unit, channel.original_unit, *(f"{value:.2f}" for value in values))
    return table


def _subjects_table(figures: DatasetInfo) -> Table:
    rows = figures.subject_label_minutes
    most = {name: max(row[name] for row in rows.values()) for name in figures.label_minutes}
    shown = [name for name in most if name in figures.labels or most[name]]
    numbers = [str(index) for index, _ in enumerate(figures.labels, 1)] + ["-"]
    table = _table("who", *numbers[: len(shown)], "min", title="Subjects by labels")
    for subject, row in rows.items():
        cells = [_shade(row[name] / most[name] if most[name] else 0.0) for name in shown]
        mark = "*" if subject in figures.test_subjects else " "
        table.add_row(_cell(subject + mark), *cells, f"{figures.subject_minutes[subject]:.1f}")
    return table


def _shade(share: float) -> str:
    """Two blocks, darker for a larger share of the maximum; one dot for zero."""
    return _SHADES[0] if share <= 0 else 2 * _SHADES[min(4, 1 + int(4 * share))]


def _print_gaps(figures: DatasetInfo) -> None:
    total = sum(gap.length_s for gap in figures.gaps)
    click.echo(f"Gaps: {len(figures.gaps)}" + (f", {total:.2f} s together" if figures.gaps else ""))
    for gap in figures.gaps[:_MAX_GAPS]:
        title = visible(f"subject {gap.subject}, trial {gap.recording}")
        click.echo(f"  {title}: {gap.length_s:.2f} s at {gap.at_s:.2f} s")
    if len(figures.gaps) > _MAX_GAPS:
        click.echo(f"  and {len(figures.gaps) - _MAX_GAPS} more, in --json")


def _print_oddities(figures: DatasetInfo) -> None:
    click.echo("Oddities:" + ("" if figures.oddities else " none"))
    for oddity in figures.oddities:
        click.echo(f"  • {visible(oddity)}")
