"""Mean and standard deviation of a figure over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_and_std(values: Sequence[float] | NDArray[np.float64]) -> dict[str, Any]:
    """Mean and sample standard deviation (n − 1; None for one value) as plain JSON values.

    >>> mean_and_std([1.0, 3.0])
    {'mean': 2.0, 'std': 1.4142135623730951}
    """
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": deviation}
