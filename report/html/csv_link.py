"""A table as a CSV file within a page, which can be saved without a script."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

# A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?%?")


def csv_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""A table as CSV (RFC 4180). What a spreadsheet would take for a formula has an apostrophe before it.

    >>> csv_text(["name", "points"], [["=1+1", "-0.50"], ['a "b", c', "1,234"]])
    'name,points\r\n\'=1+1,-0.50\r\n"a ""b"", c","1,234"\r\n'
    """
    text = io.StringIO()
    csv.writer(text).writerows([_inert(cell) for cell in row] for row in (head, *rows))
    return text.getvalue()


def csv_link(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A link that saves a table as ``NAME.csv``, as HTML."""
    address = f"data:text/csv;charset=utf-8,{quote(csv_text(head, rows), safe='/:;,()+*!$@?=')}"
    file = escape(f"{name}.csv")
    return f'<a class="csv" download="{file}" href="{escape(address)}" aria-label="Save {file}">CSV</a>'


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
