"""The three files of a report: the HTML page, and JSON and Markdown of the same name beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deseptr.contract import SetupError, atomic_write, check_replaceable, read_json


def check_output(page: Path, form: str, option: str = "-o") -> None:
    """Refuse a page that is not ``.html``, or files that are not an earlier report.

    Args:
        page: path of the page.
        form: value of ``format`` in the JSON of such reports.
        option: that names the page.

    Raises:
        SetupError: if the page, its JSON or its Markdown would overwrite another file, such as a run's metrics.
    """
    if page.suffix != ".html":
        raise click.UsageError(f"{option} {page} must end in .html")
    from deseptr.report.html.page import PAGE_START

    check_replaceable(page, PAGE_START, "a page of deseptr", option)
    path, text = page.with_suffix(".json"), page.with_suffix(".md")
    if path.exists():
        try:
            if read_json(path).get("format") == form:
                return
        except (OSError, ValueError, AttributeError):
            pass
    elif text.exists():
        # Markdown has no mark of its own; that of a report has its JSON beside it.
        path = text
    else:
        return
    raise SetupError(
        path, found="another file", expected="no file, or an earlier report", next_step=f"choose another {option}"
    )


def json_text(content: dict[str, Any]) -> str:
    """Format a report as JSON, for the file and for ``--json``."""
    return json.dumps(content, indent=2) + "\n"


def write_report(page: Path, content: dict[str, Any], html: str, markdown: str) -> None:
    """Write the page, its Markdown and its JSON, each atomically."""
    atomic_write(page, html)
    atomic_write(page.with_suffix(".md"), markdown)
    atomic_write(page.with_suffix(".json"), json_text(content))
