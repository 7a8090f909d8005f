"""A histogram of durations up to the 99th percentile; the tail is given as a count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 24


def histogram(durations_us: NDArray[np.float64], bins: int = BINS) -> dict[str, Any]:
    """Counts of durations between equidistant edges from the smallest to the 99th percentile, as plain JSON values.

    Returns:
        ``edges_us``, one more than ``counts``, and the number ``above`` the last edge; empty without durations.
    """
    if not len(durations_us):
        return {"edges_us": [], "counts": [], "above": 0}
    low, top = float(durations_us.min()), float(np.percentile(durations_us, 99))
    edges = np.linspace(low, max(top, low + 1e-3), bins + 1)
    counts, _ = np.histogram(durations_us, edges)
    return {
        "edges_us": edges.round(3).tolist(),
        "counts": counts.tolist(),
        "above": int(len(durations_us) - counts.sum()),
    }
