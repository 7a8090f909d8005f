"""``deseptr report --drift``: the days of a model's logs against its training."""

from __future__ import annotations

from pathlib import Path

import click

from deseptr.cli.common.page_origin import page_origin
from deseptr.cli.common.tables import print_rows


def report_drift(model: Path, logs: tuple[Path, ...], page: Path | None, *, as_json: bool) -> None:
    """Compare the days of logs with the reference in a model, and print or write what was found.

    Args:
        model: the ``.tflite`` file.
        logs: CSV files and JSON lines of ``device run``.
        page: HTML page to write; None for none.
        as_json: print JSON in place of a table.
    """
    from deseptr.evaluate.drift_days import FORMAT, days_of, drift_content
    from deseptr.evaluate.drift_log import read_drift_logs
    from deseptr.report.drift_page import drift_head, drift_lines, drift_markdown, drift_page, drift_rows
    from deseptr.tflite import read_tflite

    from .report_files import check_output, json_text, write_report

    if page is not None:
        check_output(page, FORMAT)
    contract = read_tflite(model).contract
    read = read_drift_logs(logs)
    content = drift_content(days_of(read, contract, model), contract, model, read.notes)
    if page is not None:
        write_report(page, content, drift_page(content, page_origin()), drift_markdown(content))
    if as_json:
        click.echo(json_text(content), nl=False)
        return
    head = drift_head(content)
    print_rows(head[:-1], [row[:-1] for row in drift_rows(content)], left=1)
    for line in drift_lines(content):
        click.echo(line)
    for note in content["notes"]:
        click.echo(f"note: {note}", err=True)
    click.secho(content["answer"], bold=True)
    if page is not None:
        click.echo(f"page: {page}")
