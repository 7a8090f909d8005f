"""How much a histogram differs from that of the reference.

The population stability index of shares p against expected shares e is Σ (p − e) · ln(p / e), which is the symmetric
divergence of Kullback and Leibler (Ann. Math. Stat. 22, 1951) under the name that it has in credit scoring, with the
custom of 0.1 and 0.25 as limits (Siddiqi, Credit Risk Scorecards, 2006). Without any change its mean is about
(bins − 1) · (1/n + 1/m) for n and m *independent* windows (Yurdakul, Statistical Properties of the Population Stability
Index, 2018). Neighbouring windows are alike, and people differ: the limits in a reference are measured, not these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Half a window in each bin: an empty one must not make the index infinite (Jeffreys' prior).
_PRIOR = 0.5


def stability_index(counts: Sequence[int], expected: Sequence[float], windows: int) -> float:
    """Population stability index of a histogram.

    Args:
        counts: number of windows in each bin; not all are 0.
        expected: expected share of each bin.
        windows: number of windows that the shares were found in.

    >>> stability_index([50, 50], [0.5, 0.5], 1000)
    0.0
    >>> round(stability_index([90, 10], [0.5, 0.5], 1000), 2)
    0.85
    """
    found = _smoothed(counts)
    wanted = _smoothed([share * windows for share in expected])
    return sum((p - e) * math.log(p / e) for p, e in zip(found, wanted, strict=True))


def expected_shares(of_class: Sequence[Sequence[int]], mix: Sequence[int]) -> list[float]:
    """Shares of the bins that the reference expects of a mix of classes.

    Args:
        of_class: the reference's number of windows, ``[class][bin]``.
        mix: number of windows of each class; a class that the reference never had counts as all of them do.

    >>> expected_shares([[4, 0], [1, 1]], [30, 10])
    [0.875, 0.125]
    """
    whole = [sum(column) for column in zip(*of_class, strict=True)]
    total = sum(mix) or 1
    shares = [0.0] * len(whole)
    for row, count in zip(of_class, mix, strict=True):
        own = row if any(row) else whole
        for place, each in enumerate(own):
            shares[place] += count / total * each / sum(own)
    return shares


def middle(shares: Sequence[float]) -> float:
    """Mean bin of a histogram, which tells which of two is farther up."""
    return sum(place * share for place, share in enumerate(shares)) / (sum(shares) or 1)


def _smoothed(counts: Sequence[float]) -> list[float]:
    total = sum(counts) + _PRIOR * len(counts)
    return [(count + _PRIOR) / total for count in counts]
