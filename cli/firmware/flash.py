"""``deseptr firmware flash``: install a model on a board, with a trial and a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.grouped import GroupedCommand
from deseptr.cli.common.numbers import real, whole
from deseptr.cli.common.option_rules import goes_without
from deseptr.cli.common.remote_text import show, show_json
from deseptr.cli.device.options import MODEL

from .board_options import BOARD_GROUP, board_options, open_board
from .bundle_options import BUNDLE_NAMES, bundle_options, bundle_request

GROUPS = {
    **BOARD_GROUP,
    "Bundle": ("model", "bundle", *BUNDLE_NAMES[1:]),
    "Release": ("trust", "env_file", "allow_downgrade", "keep", "settle", "dry_run", "as_json"),
}


@click.command(cls=GroupedCommand, groups=GROUPS, context_settings={"ignore_unknown_options": False})
@board_options
@click.option("--model", type=MODEL, envvar="DESEPTR_MODEL", show_envvar=True, help="A .tflite file.")
@click.option("--bundle", type=click.Path(path_type=Path), help="An existing bundle instead of a model.")
@bundle_options
@click.option(
    "--trust", type=click.Path(path_type=Path), help="Public key; the board then accepts only bundles signed with it."
)
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=VALUE lines for the service, such as passwords."
)
@click.option("--allow-downgrade", is_flag=True, help="Accept a lower build number than that of the running release.")
@click.option("--keep", type=whole(1, 1000), default=3, show_default=True, help="Number of good releases to keep.")
@click.option("--settle", type=real(0, 3600), default=5.0, show_default=True, help="Seconds the service must stay up.")
@click.option("--dry-run", is_flag=True, help="Inspect the board and print the plan without changing anything.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object on stdout.")
@goes_without("bundle", *BUNDLE_NAMES, why="has its own")
def flash(**options: Any) -> None:
    """Install a model on the board at USER@HOST, and roll back if it does not work there.

    Everything is sent over ssh; the board needs Python 3.11 or newer, and no network. The new release is installed
    beside the running one, and becomes the current one once the doctor finds no fault, labels arrive and the
    service stays up. Otherwise the previous release is started again. ARGS after `--` go to `deseptr device run` on
    the board.

    \b
    Examples:
      deseptr firmware flash pi@raspberrypi --model mine.tflite --dry-run
      deseptr firmware flash pi@raspberrypi --model mine.tflite
      deseptr firmware flash pi@zero --model mine.tflite --network \\
          --env-file mqtt.env -- --mqtt broker.local
      deseptr firmware flash pi@zero --model mine.tflite -- --web 0.0.0.0:8384
      deseptr firmware flash pi@zero --bundle mine.bundle --trust key.pub
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.firmware_harness.deploy import FlashRequest, flash as flash_board
    from deseptr.firmware_harness.deploy.flash import plan_flash

    from .flash_view import UploadBar, show_flashed, show_plan

    request = FlashRequest(
        bundle=_bundle(options),
        prefix=options["prefix"],
        service=options["service"],
        allow_downgrade=options["allow_downgrade"],
        keep=options["keep"],
        settle=options["settle"],
        environment=_text(options["env_file"]),
        trust=_trust(options["trust"]),
    )
    with open_board(options) as board:
        plan = plan_flash(board, request)
        if options["dry_run"]:
            show_json(plan.to_dict()) if options["as_json"] else show_plan(plan, request)
            return
        for note in plan.notes:
            show(note, err=True)
        with UploadBar() as bar:
            result = flash_board(board, request, plan, report=bar.step, progress=bar.show)
    show_json(result) if options["as_json"] else show_flashed(plan, result)


def _bundle(options: dict[str, Any]) -> Any:
    if (options["model"] is None) == (options["bundle"] is None):
        raise click.UsageError("give one of --model and --bundle")
    return options["bundle"] or bundle_request(options)


def _text(path: Path | None) -> str | None:
    from deseptr.contract import SetupError, read_text

    if path is None:
        return None
    try:
        return read_text(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "text that is not UTF-8"
        raise SetupError(path, found=reason, expected="a text file", next_step="check the path") from error


def _trust(path: Path | None) -> str | None:
    from deseptr.firmware_harness.deploy.signing import trust_of

    return None if path is None else trust_of(path)
