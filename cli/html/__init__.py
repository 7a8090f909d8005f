"""Self-contained HTML reports: pictures as inline SVG, no script, no file beside the page."""

from .comparison_figures import Point, learning_figure, reliability_figure, scatter_figure, subjects_figure
from .conversion_figures import Bar, bars_figure, cumulative_figure, pairs_figure, sqnr_figure
from .figures import confusion_figure, curves_figure, histogram_figure, latencies_figure
from .page import Section, facts, figure, heading, paragraph, render_page, table, verdict, wide_table

__all__ = [
    "Bar",
    "Point",
    "Section",
    "bars_figure",
    "confusion_figure",
    "cumulative_figure",
    "curves_figure",
    "facts",
    "figure",
    "heading",
    "histogram_figure",
    "latencies_figure",
    "learning_figure",
    "pairs_figure",
    "paragraph",
    "reliability_figure",
    "render_page",
    "scatter_figure",
    "sqnr_figure",
    "subjects_figure",
    "table",
    "verdict",
    "wide_table",
]
