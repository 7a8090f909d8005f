"""Self-contained HTML reports: figures as inline SVG, no additional files, a script only to zoom timelines."""

from .conversion_figures import (
    Bar as Bar,
    bars_figure as bars_figure,
    cumulative_figure as cumulative_figure,
    pairs_figure as pairs_figure,
    sqnr_figure as sqnr_figure,
)
from .figures import (
    confusion_figure as confusion_figure,
    curves_figure as curves_figure,
    histogram_figure as histogram_figure,
    latencies_figure as latencies_figure,
)
from .page import (
    Section as Section,
    facts as facts,
    figure as figure,
    heading as heading,
    paragraph as paragraph,
    render_page as render_page,
    table as table,
    verdict as verdict,
    wide_table as wide_table,
)
from .run_figures import (
    Point as Point,
    learning_figure as learning_figure,
    reliability_figure as reliability_figure,
    scatter_figure as scatter_figure,
    subjects_figure as subjects_figure,
)
