"""``deseptr firmware status``, ``logs``, ``rollback`` and ``uninstall``: manage a flashed board."""

from __future__ import annotations

from typing import Any

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.remote_text import show, show_json, show_lines

from .board_options import ask_board, board_options

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.command()
@board_options
@_JSON
def status(as_json: bool, **options: Any) -> None:
    """Show the running and the installed releases of the board at USER@HOST.

    \b
    Example:
      deseptr firmware status pi@raspberrypi
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from .flash_view import show_status

    found = ask_board(options, {"op": "status"})
    show_json(found) if as_json else show_status(options["destination"], found)


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
