"""How far the latest windows are from those that a model knows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deseptr.contract import KnownWindows, nearest, window_statistics
from deseptr.device.stream.windows import Window

from .tracker import share_of_newest

# Less lets single steps of a known walk through as unfamiliar; more delays what is unfamiliar indeed.
HORIZON_S = 5.0
_LEAST = 1e-6


class Familiarity:
    """Scores the windows of a stream: 1 is the limit of what the model knows, more is unfamiliar.

    The score is the distance from the nearest prototype over its limit, smoothed by a first-order low-pass of its
    logarithm over 5 s, which starts at its first window.

    Args:
        known: what the model knows.
        channels: names of the samples' channels.
        hop_s: time from one window to the next, seconds.
    """

    def __init__(self, known: KnownWindows, channels: Sequence[str], hop_s: float) -> None:
        self._table, self._scale, self._limit = known.table, known.scale, known.limit
        self._channels = channels
        self._share = share_of_newest(HORIZON_S, hop_s)
        self._smoothed: float | None = None

    def forget(self) -> None:
        """Begin anew, as after a gap: no average spans lost samples."""
        self._smoothed = None

    def update(self, window: Window) -> float:
        """Score after a window of the stream."""
        statistics = window_statistics(window.samples[window.history :], self._channels) / self._scale
        distance = math.log(max(float(nearest(statistics[None], self._table)[0]), _LEAST) / self._limit)
        before = distance if self._smoothed is None else self._smoothed
        self._smoothed = before + self._share * (distance - before)
        return math.exp(self._smoothed)
