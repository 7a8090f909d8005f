"""Mean and deviation of a figure over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def spread(values: Sequence[float] | NDArray[np.float64]) -> dict[str, Any]:
    """Mean and standard deviation (of a sample, n − 1; None of one value) as plain JSON values."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": deviation}
