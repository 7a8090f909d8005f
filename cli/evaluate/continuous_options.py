"""``--continuous`` of the commands that evaluate: its options, its output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_with
from deseptr.cli.common.options import tested_line
from deseptr.cli.common.page_origin import page_origin
from deseptr.cli.device.decision_options import DECISION_NAMES, decision_config, decision_options
from deseptr.cli.device.event_options import EVENT_NAMES, event_options, event_rules

if TYPE_CHECKING:
    from deseptr.contract import DecisionConfig, ModelContract
    from deseptr.evaluate.continuous.measure import Continuous

CONTINUOUS_NAMES = (*DECISION_NAMES, *EVENT_NAMES, "shortest", "onsets_of")
CONTINUOUS_GROUPS = {
    "Whole recordings": ("continuous", "shortest", "onsets_of"),
    "Decision": DECISION_NAMES,
    "Events": EVENT_NAMES,
}
"""Sections of these options in the help of a command."""


def continuous_options(command: Any) -> Any:
    """Add the options of a continuous evaluation to a command."""
    command = goes_with("continuous", *CONTINUOUS_NAMES)(command)
    for option in (
        click.option(
            "-o",
            "--output",
            "page",
            type=click.Path(path_type=Path),
            help="HTML page to write, with .json and .md of the same name beside it.",
        ),
        click.option("--onsets-of", metavar="LABELS", help="With --continuous: the delay is of these classes. [all]"),
        click.option(
            "--shortest",
            type=real(0, 86_400),
            help="With --continuous: the delay is of activities of so many seconds or more. [default: 5]",
        ),
    ):
        command = option(command)
    return click.option(
        "--continuous",
        is_flag=True,
        help="Measure whole recordings as the device labels them: delay, spurious changes, kinds of errors.",
    )(decision_options(event_options(command)))


def check_continuous(chosen: Mapping[str, Any]) -> None:
    """Refuse a page that would replace another file, before anything is measured.

    Raises:
        SetupError: if it would.
        click.UsageError: if its name is that of no page.
    """
    if chosen["page"] is not None:
        from deseptr.evaluate.continuous.measure import FORMAT

        from .evaluation_files import FORMAT as OF_WINDOWS
        from .report_files import check_output

        check_output(chosen["page"], FORMAT if chosen["continuous"] else OF_WINDOWS)


def continuous_settings(chosen: Mapping[str, Any], contract: ModelContract) -> tuple[DecisionConfig, dict[str, Any]]:
    """The decision, and the further arguments of ``measure``.

    Raises:
        SetupError: if a rule does not fit the model.
    """
    from deseptr.data import parse_labels
    from deseptr.device import EventWatch
    from deseptr.evaluate.continuous.summary import SHORTEST_S

    names = parse_labels(chosen["onsets_of"], contract.labels) if chosen["onsets_of"] else ()
    shortest_s = SHORTEST_S if chosen["shortest"] is None else chosen["shortest"]
    rules = event_rules(chosen, contract.events or ())
    if rules:
        # Refuses an event that the model has not, before its recordings are played.
        EventWatch(contract, rules)
    settings = {"shortest_s": shortest_s, "onsets_of": names, "rules": rules}
    return decision_config(chosen, contract), settings


def finish_continuous(
    measured: Mapping[str, Continuous], extra: dict[str, Any], data_name: str, page: Path | None, *, as_json: bool
) -> None:
    """Print the figures, and write the page if one is wanted.

    Args:
        measured: evaluations by the name of their way, the first with the whole of its figures.
        extra: fields that say what was measured.
        data_name: of the recordings.
        page: the HTML file, or None.
        as_json: print JSON instead of tables.
    """
    import json

    first, *others = measured.items()
    content = {**first[1].to_dict(), **{each.path: each.to_dict() for _, each in others}, **extra}
    if page is not None:
        from deseptr.report import continuous_tables as tables
        from deseptr.report.continuous_page import continuous_page

        from .report_files import write_report

        title = f"{extra['model']} on {tested_line(extra, data_name)}"
        text = tables.markdown({name: each.to_dict() for name, each in measured.items()}, title)
        write_report(page, content, continuous_page(first[1], content, title, page_origin()), text)
    if as_json:
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(f"{extra['model']} on {tested_line(extra, data_name)}, {content['hours']:.2f} h")
    print_continuous({name: each.to_dict() for name, each in measured.items()})
    if page is not None:
        click.echo(f"page: {page}")


def print_continuous(contents: Mapping[str, dict[str, Any]]) -> None:
    """Print the tables of evaluations by the name of their way; classes and errors are those of the first."""
    from deseptr.cli.common.tables import print_rows
    from deseptr.report import continuous_tables as tables

    content = next(iter(contents.values()))
    click.echo(tables.decision_line(content))
    print_rows(*tables.figures_table(contents), left=1)
    click.echo(f"{tables.delay_note(content)}\n")
    if "events" in content:
        print_rows(*tables.events_table(content), left=1)
        click.echo()
    for head, rows in (tables.classes_table(content), tables.errors_table(content), tables.wearers_table(content)):
        print_rows(head, rows, left=1)
        click.echo()
