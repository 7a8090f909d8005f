"""``deseptr report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.option_rules import goes_with, goes_without
from deseptr.cli.common.options import READING_GROUP, READING_NAMES, load, reading_options
from deseptr.cli.common.page_origin import page_origin

if TYPE_CHECKING:
    from deseptr.evaluate.confused_windows import Origin
    from deseptr.evaluate.finished_run import FinishedRun, Setting

_FORMAT = "deseptr report 1"
# The columns that fit a terminal; the page has all.
_PRINTED = ("model", "parameters", "MACs", "macro-F1 float", "macro-F1 int8")

GROUPS = {
    "Report": ("output", "source", "drift", "as_json"),
    **READING_GROUP,
}


@click.command(cls=GroupedCommand, groups=GROUPS)
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--drift",
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="Compare the days of logs with the training of MODEL instead; RUN… are CSV files and JSON lines of `device "
    "run`.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="HTML page to write, with .json and .md of the same name beside it. [default: report.html; with --drift: "
    "none]",
)
@click.option(
    "--data", "source", metavar="DATA", help="Recordings of the runs: shows the signals of windows that were confused."
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the JSON on stdout.")
@goes_with("source", *READING_NAMES)
@goes_without("drift", "source", why="compares logs")
def report(
    runs: tuple[Path, ...],
    drift: Path | None,
    output: Path | None,
    source: str | None,
    reading: dict[str, str],
    as_json: bool,
) -> None:
    """Compare finished runs on one page: scores and their intervals, cost, curves, confusion, calibration.

    RUN is a folder of `deseptr train` or `deseptr crossval`, or a folder of several. Runs on different data, test
    subjects or windows are in different sections; seeds of one model are averaged. The page needs no network.

    With --drift, the days of a model's logs are compared with what its windows were like in training, which
    `deseptr calibrate --drift` wrote into it.

    \b
    Examples:
      deseptr report runs/ms runs/hapt-official -o report.html
      deseptr report --drift ms.tflite run.csv run.csv.1 -o drift.html
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    if drift is not None:
        from .drift_report import report_drift

        report_drift(drift, runs, output, as_json=as_json)
        return
    output = output or Path("report.html")
    from .report_files import check_output, json_text, write_report

    check_output(output, _FORMAT)
    from deseptr.evaluate.find_runs import find_runs
    from deseptr.evaluate.run_comparison import compare
    from deseptr.report.runs_confusion import confused_of
    from deseptr.report.runs_page import report_page
    from deseptr.report.runs_tables import markdown

    found = find_runs(runs)
    for path in found.unfinished:
        click.echo(f"warning: {path}: unfinished and left out; repeat its command to finish it", err=True)
    models = _counted(found.finished)
    content = {"format": _FORMAT, **compare(models), "left_out": list(map(str, found.unfinished))}
    confused = confused_of(content, models, _origins(models, source, reading))
    write_report(output, content, report_page(content, confused, page_origin()), markdown(content))
    if as_json:
        click.echo(json_text(content), nl=False)
    else:
        _print_sections(content)
        click.echo(f"report: {output}")


def _origins(runs: list[FinishedRun], source: str | None, reading: dict[str, str]) -> dict[Setting, Origin]:
    """The windows of the runs, if their recordings are given."""
    if source is None:
        return {}
    from deseptr.report.runs_confusion import origins_of

    return dict(origins_of(runs, load(source, reading)))


def _counted(runs: list[FinishedRun]) -> list[FinishedRun]:
    """The runs with their multiply-accumulates, counted for runs of older versions, which do not record them."""
    if not any(run.checkpoint for run in runs):
        return runs
    from rich.console import Console

    from deseptr.evaluate.finished_run import with_macs
    from deseptr.train.quiet_import import load_quietly

    with Console(stderr=True).status("counting multiply-accumulates"):
        load_quietly()
        return [with_macs(run) for run in runs]


def _print_sections(content: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from deseptr.cli.common.tables import print_table
    from deseptr.report.runs_tables import models_table, title

    for section in content["sections"]:
        head, rows = models_table(section)
        shown = [index for index, column in enumerate(head) if column in _PRINTED]
        table = Table(box=None, pad_edge=False)
        for index in shown:
            table.add_column(head[index], justify="right" if index else "left", no_wrap=index > 0)
        for row in rows:
            table.add_row(*(Text(row[index]) for index in shown))
        click.secho(title(section), bold=True)
        print_table(table, Console())
