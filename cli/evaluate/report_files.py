"""The three files of a report: its page, and the JSON and the Markdown of the same name beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deseptr.contract import SetupError, atomic_write, check_replaceable


def check_output(page: Path, form: str) -> None:
    """Refuse a page that is no ``.html``, or that would with its JSON be written over files of something else.

    Args:
        page: where the page shall go.
        form: what ``format`` says in the JSON of such reports.

    Raises:
        SetupError: if page or JSON is of something else, such as a run's own metrics.
    """
    if page.suffix != ".html":
        raise click.UsageError(f"-o {page} must end in .html")
    from deseptr.report.html.page import PAGE_START

    check_replaceable(page, PAGE_START, "a page of deseptr", "-o")
    path = page.with_suffix(".json")
    try:
        if not path.exists() or json.loads(path.read_text()).get("format") == form:
            return
    except (OSError, ValueError, AttributeError):
        pass
    raise SetupError(path, found="a file of something else", expected="a new file", next_step="choose another -o")


def json_text(content: dict[str, Any]) -> str:
    """The report as the file and ``--json`` have it."""
    return json.dumps(content, indent=2) + "\n"


def write_report(page: Path, content: dict[str, Any], html: str, markdown: str) -> None:
    """Write the page, its Markdown and its JSON, each whole or not at all."""
    atomic_write(page, html)
    atomic_write(page.with_suffix(".md"), markdown)
    atomic_write(page.with_suffix(".json"), json_text(content))
