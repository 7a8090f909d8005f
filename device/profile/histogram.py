"""A histogram of durations, with logarithmic bins where the tail is long."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 24
_LONG_TAIL = 4.0


def histogram(durations_us: NDArray[np.float64], bins: int = BINS) -> dict[str, Any]:
    """Counts of durations between edges, as plain JSON values.

    The edges are equidistant, from the smallest duration to the 99th percentile. If that is more than four times the
    median, their ratios are equal instead, from the smallest duration to the largest.

    Returns:
        ``edges_us``, one more than ``counts``, and the number ``above`` the last edge; empty without durations.
    """
    if not len(durations_us):
        return {"edges_us": [], "counts": [], "above": 0}
    low, longest = float(durations_us.min()), float(durations_us.max())
    middle, top = np.percentile(durations_us, (50, 99))
    if low > 0 and top > _LONG_TAIL * middle:
        edges = np.geomspace(low, longest, bins + 1)
        edges[[0, -1]] = low, longest
    else:
        edges = np.linspace(low, max(top, low + 1e-3), bins + 1)
    counts, _ = np.histogram(durations_us, edges)
    return {
        "edges_us": edges.round(3).tolist(),
        "counts": counts.tolist(),
        "above": int(len(durations_us) - counts.sum()),
    }
