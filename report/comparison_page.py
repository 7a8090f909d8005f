"""The page of a comparison of models."""

from __future__ import annotations

from typing import Any

from . import html
from .comparison_tables import EXPLANATION, caveats, costs_table, facts_table, ops_table, scores_table


def compare_page(content: dict[str, Any]) -> str:
    """The comparison as one self-contained HTML file."""
    percentiles = {model["name"]: model["latency"]["percentiles_us"] for model in content["models"]}
    distribution = html.latencies_figure(percentiles, "latency of an invocation, µs")
    sides = [html.table(*made) for made in (costs_table(content), scores_table(content)) if made[1]]
    sections = [
        html.Section("Side by side", [*sides, html.paragraph(EXPLANATION)]),
        html.Section("Latency", [html.figure(distribution, "Share of the calls that took no longer, up to p99.")]),
        html.Section("How it was measured", [html.table(*facts_table(content))]),
    ]
    head, rows = ops_table(content)
    if rows:
        sections.append(html.Section("Operations in the files", [html.table(head, rows)]))
    return html.render_page("deseptr: models compared", " ".join(caveats(content)), sections, width_rem=76)
