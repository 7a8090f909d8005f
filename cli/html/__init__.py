"""Self-contained HTML reports: pictures as inline SVG, no script, no file beside the page."""

from .comparison_figures import Point, learning_figure, reliability_figure, scatter_figure, subjects_figure
from .figures import confusion_figure, curves_figure, histogram_figure, latencies_figure
from .page import Section, figure, heading, paragraph, render_page, table, wide_table

__all__ = [
    "Point",
    "Section",
    "confusion_figure",
    "curves_figure",
    "figure",
    "heading",
    "histogram_figure",
    "latencies_figure",
    "learning_figure",
    "paragraph",
    "reliability_figure",
    "render_page",
    "scatter_figure",
    "subjects_figure",
    "table",
    "wide_table",
]
