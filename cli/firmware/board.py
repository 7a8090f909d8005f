"""``deseptr firmware status``, ``logs``, ``rollback`` and ``uninstall``: manage a flashed board."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.page_origin import page_origin
from deseptr.cli.common.remote_text import show, show_json, show_lines

from .board_options import ask_board, board_options, boards_options

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.command()
@boards_options
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page of all boards to this file."
)
@_JSON
def status(destinations: tuple[str, ...], html: Path | None, as_json: bool, **options: Any) -> None:
    """Show the running and the installed releases of the board at USER@HOST, or a row for each of several boards.

    Several boards are asked at once; the exit code is 2 if one of them gives no answer, 0 otherwise.

    \b
    Examples:
      deseptr firmware status pi@raspberrypi
      deseptr firmware status pi@wrist1 pi@wrist2 pi@waist --html boards.html
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from .flash_view import show_status

    if len(destinations) == 1 and html is None:
        found = ask_board({**options, "destination": destinations[0]}, {"op": "status"})
        show_json(found) if as_json else show_status(destinations[0], found)
        return
    _show_fleet(destinations, html, as_json, options)


def _show_fleet(destinations: tuple[str, ...], html: Path | None, as_json: bool, options: dict[str, Any]) -> None:
    from deseptr.contract import atomic_write, check_replaceable
    from deseptr.report.fleet_page import fleet_page, fleet_text
    from deseptr.report.html.page import PAGE_START

    from .fleet import ask_boards

    if html is not None:
        check_replaceable(html, PAGE_START, "a page of deseptr", "--html")
    boards = ask_boards(destinations, options, {"op": "status"})
    if html is not None:
        atomic_write(html, fleet_page(boards, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", page_origin()))
    show_json({"boards": boards}) if as_json else show_lines(fleet_text(boards))
    if any("error" in each for each in boards):
        sys.exit(2)


@click.command()
@board_options
@click.option("-n", "--lines", type=whole(1, 1_000_000), default=50, show_default=True, help="Number of lines.")
def logs(lines: int, **options: Any) -> None:
    """Print the service's last lines of output on the board at USER@HOST.

    \b
    Example:
      deseptr firmware logs pi@raspberrypi -n 200
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    show_lines(ask_board(options, {"op": "logs", "lines": lines})["text"])


@click.command()
@board_options
@_JSON
def rollback(as_json: bool, **options: Any) -> None:
    """Return to the previous good release on the board at USER@HOST.

    \b
    Example:
      deseptr firmware rollback pi@raspberrypi
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    done = ask_board(options, {"op": "roll_back"})
    show_json(done) if as_json else show(f"{done['release']} runs in place of {done['left']}")


@click.command()
@board_options
@_JSON
def uninstall(as_json: bool, **options: Any) -> None:
    """Stop the service on the board at USER@HOST, and remove it with its releases, settings and secrets.

    \b
    Example:
      deseptr firmware uninstall pi@raspberrypi
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    done = ask_board(options, {"op": "uninstall"})
    if as_json:
        show_json(done)
    else:
        show(f"removed {', '.join(done['removed']) or 'an unfinished installation'}")
