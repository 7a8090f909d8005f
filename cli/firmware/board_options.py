"""Options that the commands for a board over ssh share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.remote_text import show_step

if TYPE_CHECKING:
    from deseptr.firmware_harness.deploy import SshTarget

F = TypeVar("F", bound=Callable[..., Any])

_CONNECTION = [
    click.option("--port", type=whole(1, 65_535), help="Port of sshd. [default: ssh's own configuration]"),
    click.option("--identity", type=click.Path(path_type=Path), help="Private ssh key."),
    click.option(
        "--accept-new-host-key",
        is_flag=True,
        help="Accept the key of an unknown host; a changed key is still refused.",
    ),
    click.option("--ssh-option", "ssh_options", multiple=True, metavar="KEY=VALUE", help="Additional option of ssh."),
    click.option("--python", default="python3", show_default=True, help="Python on the board, 3.11 or newer."),
    click.option(
        "--prefix",
        envvar="DESEPTR_PREFIX",
        show_envvar=True,
        help="Folder on the board. [default: /opt/deseptr; ~/.local/share/deseptr without root]",
    ),
    click.option(
        "--service",
        type=click.Choice(["auto", "system", "user", "supervised"]),
        default="auto",
        show_default=True,
        help="System unit (sudo), user unit, or deseptr's own supervisor without systemd.",
    ),
]

BOARD_GROUP = {
    "Board": ("port", "identity", "accept_new_host_key", "ssh_options", "python", "prefix", "service"),
}
"""The section of these options in the help of a command."""


def board_options(command: F) -> F:
    """Add the board and the options of :func:`open_board` to a command."""
    return click.argument("destination", metavar="USER@HOST")(_with_connection(command))


def boards_options(command: F) -> F:
    """The same for a command that takes several boards, ``destinations``."""
    return click.argument("destinations", nargs=-1, required=True, metavar="USER@HOST…")(_with_connection(command))


def _with_connection(command: F) -> F:
    for option in reversed(_CONNECTION):
        command = option(command)
    return command


def open_board(options: dict[str, Any]) -> SshTarget:
    """Make the board from a command's options, for use in a ``with`` block."""
    from deseptr.firmware_harness.deploy import SshOptions, SshTarget

    ssh = SshOptions(
        port=options["port"],
        identity=options["identity"],
        accept_new_host_key=options["accept_new_host_key"],
        further=options["ssh_options"],
    )
    return SshTarget(options["destination"], ssh, options["python"])


def ask_board(options: dict[str, Any], request: dict[str, Any], report: Callable[[str], None] = show_step) -> Any:
    """Send one request to a flashed board and return its answer; as root if its service is a system unit."""
    from deseptr.firmware_harness.deploy.flash import find_plan

    with open_board(options) as board:
        plan = find_plan(board, options["prefix"], options["service"])
        board.sudo = plan.sudo
        return board.call({**request, "prefix": plan.prefix}, report=report)
