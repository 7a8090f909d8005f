"""``deseptr report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.contract import SetupError, atomic_write

if TYPE_CHECKING:
    from deseptr.train.finished_run import FinishedRun

_FORMAT = "deseptr report 1"
# A terminal has room for these columns; the page has all.
_PRINTED = ("model", "parameters", "MACs", "macro-F1 float", "macro-F1 int8")


@click.command(epilog="Example: deseptr report runs/ms runs/hapt-official -o report.html")
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="Page to write; the .json and .md of this name are written beside it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON on stdout.")
def report(runs: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Compare finished runs on one page: scores and their intervals, cost, curves, confusion, calibration.

    RUN is a folder of `deseptr train` or `deseptr crossval`, or one that holds several. Runs on other data, test
    subjects or windows get a section of their own; seeds of one model are averaged. The page needs no network.
    """
    if output.suffix != ".html":
        raise click.UsageError(f"-o {output} must end in .html")
    _check_free(output.with_suffix(".json"))
    from deseptr.train.comparison import compare
    from deseptr.train.find_runs import find_runs

    from .report_page import report_page
    from .report_tables import markdown

    found = find_runs(runs)
    for path in found.unfinished:
        click.echo(f"warning: {path}: unfinished and left out; the command that began it goes on with it", err=True)
    comparison = compare(_counted(found.finished))
    content = {"format": _FORMAT, **comparison, "left_out": list(map(str, found.unfinished))}
    text = json.dumps(content, indent=2) + "\n"
    atomic_write(output, report_page(content))
    atomic_write(output.with_suffix(".md"), markdown(content))
    atomic_write(output.with_suffix(".json"), text)
    if as_json:
        click.echo(text, nl=False)
    else:
        _print_sections(content)
        click.echo(f"report: {output}")


def _check_free(path: Path) -> None:
    """Refuse to write over a JSON file of something else, such as a run's own metrics."""
    try:
        if not path.exists() or json.loads(path.read_text()).get("format") == _FORMAT:
            return
    except (OSError, ValueError, AttributeError):
        pass
    raise SetupError(path, found="a file of something else", expected="a new file", next_step="choose another -o")


def _counted(runs: list[FinishedRun]) -> list[FinishedRun]:
    """The runs with their multiply-accumulates, which those of an older version do not say."""
    if not any(run.checkpoint for run in runs):
        return runs
    from rich.console import Console

    from deseptr.train.finished_run import with_macs

    from .tensorflow import load_quietly

    with Console(stderr=True).status("counting multiply-accumulates"):
        load_quietly()
        return [with_macs(run) for run in runs]


def _print_sections(content: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from .report_tables import models_table, title

    for section in content["sections"]:
        head, rows = models_table(section)
        shown = [index for index, column in enumerate(head) if column in _PRINTED]
        table = Table(box=None, pad_edge=False)
        for index in shown:
            table.add_column(head[index], justify="right" if index else "left", no_wrap=index > 0)
        for row in rows:
            table.add_row(*(row[index] for index in shown))
        click.secho(title(section), bold=True)
        Console().print(table)
