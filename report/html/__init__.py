"""Self-contained HTML reports: one design for all, figures as inline SVG, no additional files."""

from .blocks import (
    Block as Block,
    heading as heading,
    markup as markup,
    paragraph as paragraph,
    verdict as verdict,
)
from .conversion_figures import (
    Bar as Bar,
    bars_figure as bars_figure,
    cumulative_figure as cumulative_figure,
    pairs_figure as pairs_figure,
    sqnr_figure as sqnr_figure,
)
from .embedded_svg import figure as figure
from .figures import (
    curves_figure as curves_figure,
    histogram_figure as histogram_figure,
    latencies_figure as latencies_figure,
)
from .page import (
    Answer as Answer,
    Origin as Origin,
    Section as Section,
    render_page as render_page,
)
from .run_figures import (
    Point as Point,
    learning_figure as learning_figure,
    reliability_figure as reliability_figure,
    scatter_figure as scatter_figure,
    subjects_figure as subjects_figure,
)
from .tables import facts as facts, table as table
