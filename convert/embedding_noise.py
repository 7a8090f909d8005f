"""How well a converted model's embeddings keep what tells windows apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FEWEST = 2


def embedding_sqnr_db(candidate: NDArray[np.float32], reference: NDArray[np.float32]) -> float | None:
    """Signal to quantisation noise of embeddings, 10 log10(Σ(x − x̄)²/Σ(x − x̂)²), dB.

    The mean over all windows is no signal: distances between embeddings, which prototypes need, lose it. Infinite if
    nothing differs; None without an embedding, or of fewer than two windows.

    >>> embedding_sqnr_db(np.float32([[0.1, 5], [0.9, 5]]), np.float32([[0, 5], [1, 5]]))
    13.979...

    Args:
        candidate: x̂, ``[n, embedding_width]``.
        reference: x, likewise, of the model in floating point.
    """
    if len(reference) < _FEWEST or not reference.shape[1]:
        return None
    exact = reference.astype(np.float64)
    signal = float(np.square(exact - exact.mean(axis=0)).sum())
    noise = float(np.square(exact - candidate).sum())
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal else -float("inf")
