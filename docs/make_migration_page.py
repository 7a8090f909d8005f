"""Write the tables of ``docs/migration.md`` from the tables of ``deseptr.contract.moved``.

``python docs/make_migration_page.py`` writes them between the page's two marks; ``tests/docs/test_generated_pages.py``
compares them with the code of today.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from deseptr.contract.moved import MODULES, NAMES

PAGE = Path(__file__).parent / "migration.md"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def tables() -> str:
    """The moved names and modules as Markdown, a table for each package of version 0.1."""
    parts = ["### Names", _table("Name in 0.1", "Name now", names())]
    for package, rows in groupby(sorted(MODULES.items()), key=lambda row: ".".join(row[0].split(".")[:2])):
        parts += [f"### Modules of `{package}`", _table("Module in 0.1", "Module now", list(rows))]
    return "\n\n".join(parts)


def names() -> list[tuple[str, str]]:
    """Full path of each moved name, in version 0.1 and now, in the order of the former."""
    rows = []
    for package, moved in NAMES.items():
        for name, target in moved.items():
            home, _, renamed = target.partition(":")
            rows.append((f"{package}.{name}", f"{home}.{renamed or name}"))
    return sorted(rows, key=lambda row: row[0].lower())


def page(text: str) -> str:
    """The page with today's tables between its marks.

    Args:
        text: the page as it is.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _table(old: str, new: str, rows: list[tuple[str, str]]) -> str:
    return "\n".join([f"| {old} | {new} |", "|---|---|", *(f"| `{before}` | `{after}` |" for before, after in rows)])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
