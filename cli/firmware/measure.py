"""``deseptr firmware measure``: time and score a model on a board and on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deseptr.cli.common.numbers import whole
from deseptr.cli.common.page_origin import page_origin
from deseptr.cli.common.remote_text import show_json, show_lines, show_step
from deseptr.cli.device.options import MODEL

from .board_options import board_options, open_board


@click.command()
@board_options
@click.option("--model", type=MODEL, required=True, envvar="DESEPTR_MODEL", show_envvar=True, help="A .tflite file.")
@click.option("--data", required=True, metavar="DATA", help="File of labelled recordings, or `synthetic`.")
@click.option("--subject", "subjects", metavar="S", help="Only these subjects, as 5,10,12-14.")
@click.option("--windows", type=whole(1, 1_000_000), default=200, show_default=True, help="Windows to time.")
@click.option("--simulate", is_flag=True, help="Use a simulated sensor even if there is a real one.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for measured.json and measured.html.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on stdout.")
def measure(
    model: Path,
    data: str,
    subjects: str | None,
    windows: int,
    simulate: bool,
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Time and score a model on the board at USER@HOST with the release that runs there, and on this machine.

    The service is stopped during the measurement. Times of this machine do not hold for the board; scores should agree.

    \b
    Examples:
      deseptr firmware measure pi@raspberrypi --model mine.tflite \\
          --data motionsense.npz --subject 5
      deseptr firmware measure pi@raspberrypi --model mine.tflite \\
          --data synthetic -o measured
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from deseptr.contract import atomic_write, check_replaceable
    from deseptr.firmware_harness.deploy.flash import find_plan
    from deseptr.firmware_harness.deploy.measure import measure_board
    from deseptr.report.html.page import PAGE_START
    from deseptr.report.measure_page import measure_page, measure_text

    if output is not None:
        check_replaceable(output / "measured.json", b'{\n  "model": ', "the JSON of `deseptr firmware measure`", "-o")
        check_replaceable(output / "measured.html", PAGE_START, "a page of deseptr", "-o")
    with open_board(options) as board:
        plan = find_plan(board, options["prefix"], options["service"])
        board.sudo = plan.sudo
        result = measure_board(
            board,
            plan.prefix,
            model,
            data,
            windows=windows,
            subjects=subjects,
            simulate=simulate,
            report=show_step,
        )
    if output is not None:
        atomic_write(output / "measured.json", json.dumps(result, indent=2))
        atomic_write(output / "measured.html", measure_page(result, page_origin()))
    show_json(result) if as_json else show_lines(measure_text(result))
