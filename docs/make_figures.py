"""Write the pages of figures: every figure in them is an expression over a JSON file under ``benchmarks/``.

``python docs/make_figures.py`` renders each ``PAGE.jinja`` of ``PAGES``; ``tests/docs/test_figures.py`` compares the
pages with the JSON files of today, and refuses figures that are written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deseptr.evaluate.curve.page import markdown as curve_page
from deseptr.evaluate.lab.page import markdown as lab_page
from deseptr.report.html.hops_figure import hops_figure
from deseptr.report.runs_tables import markdown as report_page

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
# Template under benchmarks/, page.
PAGES = {
    "README.md.jinja": BENCHMARKS / "README.md",
    "motionsense/deseptr_motionsense.md.jinja": ROOT / "device" / "models" / "deseptr_motionsense.md",
}
# Template under benchmarks/, page with a section between the comments `figures of TEMPLATE` and `end of figures`.
SECTIONS = {"few_wearers.md.jinja": ROOT / "docs" / "phone-to-pi.md", "results.md.jinja": ROOT / "README.md"}
# What commands wrote beside their JSON files, in the wording of today.
REPORTS: dict[str, Callable[[Any], str]] = {
    "hapt-official/report.json": report_page,
    "hapt-arena/report.json": report_page,
    "hapt-curve/curve.json": curve_page,
    "hapt-lab/lab.json": lab_page,
    "motionsense/report.json": report_page,
    "motionsense-arena/report.json": report_page,
}
# Pictures of JSON files.
PICTURES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "continuous/hops.svg": (
        "continuous/table.json",
        lambda table: hops_figure(rows_of(table, "deseptr_d32"), DECISIONS),
    ),
}
DECISIONS = {
    "window's own": "each window's own label",
    "tuned": "tuned",
    "tuned, markov": "tuned, with the order of activities",
    "defaults": "defaults",
}
Row = dict[str, Any]


def rows_of(table: Any, model: str) -> list[Row]:
    """The rows of a model."""
    return [row for row in table["rows"] if row["model"] == model]


def read(name: str) -> Any:
    """A JSON file under ``benchmarks/``."""
    return json.loads((BENCHMARKS / name).read_text("utf-8"))


def fixed(value: float, digits: int) -> str:
    """``0.961``."""
    return f"{value:.{digits}f}"


def signed(value: float, digits: int) -> str:
    """``+0.001``."""
    return f"{value:+.{digits}f}"


def percent(value: float, digits: int) -> str:
    """A share of 1 as ``99.72 %``."""
    return f"{100 * value:.{digits}f} %"


def count(value: float) -> str:
    """``46,336``."""
    return f"{value:,.0f}"


def spread(figures: Row) -> str:
    """Mean and, of several seeds, standard deviation: ``0.961 ± 0.003``."""
    return f"{figures['mean']:.3f}" + ("" if figures["std"] is None else f" ± {figures['std']:.3f}")


def bounds(interval: Row) -> str:
    """``0.935–0.979``."""
    return f"{interval['low']:.3f}–{interval['high']:.3f}"


def ratio(figures: Row) -> str:
    """A ratio to numpy with its interval: ``1.63 (1.57 to 1.81)``."""
    low, high = figures["interval"]
    return f"{figures['over_numpy']:.2f} ({low:.2f} to {high:.2f})"


def of(rows: Iterable[Row], **wanted: Any) -> Row:
    """The one row that has all these values.

    Raises:
        ValueError: if none or several have.
    """
    (found,) = (row for row in rows if all(row[name] == value for name, value in wanted.items()))
    return found


def named(rows: Iterable[Row], *prefixes: str) -> list[Row]:
    """Rows whose model's name begins so."""
    return [row for row in rows if row["model"].startswith(prefixes)]


def mean_of(rows: list[Row], name: str) -> float:
    """Mean of a column."""
    return float(sum(row[name] for row in rows) / len(rows))


def pooled(rows: list[Row], name: str) -> float:
    """Mean of a column over all windows."""
    return float(sum(row[name] * row["windows"] for row in rows) / sum(row["windows"] for row in rows))


def count_of(rows: list[Row], **wanted: Any) -> int:
    """Number of rows that have all these values."""
    return sum(all(row[name] == value for name, value in wanted.items()) for row in rows)


def median_of(rows: list[Row], column: str, **wanted: Any) -> float:
    """Median of a column of the rows that have all these values."""
    return float(median(row[column] for row in rows if all(row[name] == value for name, value in wanted.items())))


FILTERS: tuple[Callable[..., Any], ...] = (
    *(fixed, signed, percent, count, spread, bounds, ratio, named, mean_of, pooled, count_of, median_of),
)


def page(template: str) -> str:
    """The page that a template under ``benchmarks/`` gives.

    Raises:
        jinja2.UndefinedError: if a JSON file lacks what an expression names.
    """
    environment = Environment(
        loader=FileSystemLoader(BENCHMARKS), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    environment.globals["read"] = read
    environment.filters |= {each.__name__: each for each in FILTERS} | {"with": of}
    return environment.get_template(template).render()


def with_section(text: str, template: str) -> str:
    """A page with the section that a template gives.

    Raises:
        ValueError: if the page has no comments around the section.
    """
    begin, end = f"<!-- figures of {template} -->\n", "<!-- end of figures -->"
    before, opening, rest = text.partition(begin)
    _, closing, after = rest.partition(end)
    if not (opening and closing):
        raise ValueError(f"`text` must contain {begin.strip()} and {end}. Received: {text[:40]!r}…")
    return f"{before}{opening}{page(template)}{closing}{after}"


if __name__ == "__main__":
    for template, target in PAGES.items():
        target.write_text(page(template), "utf-8")
    for template, target in SECTIONS.items():
        target.write_text(with_section(target.read_text("utf-8"), template), "utf-8")
    for name, report in REPORTS.items():
        (BENCHMARKS / name).with_suffix(".md").write_text(report(read(name)), "utf-8")
    for name, (source, picture) in PICTURES.items():
        (BENCHMARKS / name).write_text(picture(read(source)), "utf-8")
