"""Self-contained HTML reports: pictures as inline SVG, no script, no file beside the page."""

from .figures import confusion_figure, curves_figure, histogram_figure
from .page import Section, figure, paragraph, render_page, table

__all__ = [
    "Section",
    "confusion_figure",
    "curves_figure",
    "figure",
    "histogram_figure",
    "paragraph",
    "render_page",
    "table",
]
