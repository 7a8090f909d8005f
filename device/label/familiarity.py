"""How far the latest windows are from those that a model knows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deseptr.contract import KnownWindows, nearest, window_statistics
from deseptr.device.stream.windows import Window

from .tracker import share_of_newest

# Less lets single steps of a known walk through as unfamiliar; more delays what is unfamiliar indeed.
HORIZON_S = 5.0
_LEAST = 1e-6


class Familiarity:
    """Scores the windows of a stream: 1 is the limit of what the model knows, more is unfamiliar.

    The score is the distance from the nearest prototype over its limit, smoothed by a first-order low-pass of its
    logarithm over 5 s, which starts at its first window. A window with a value that is not finite is unlike all that
    the model knows: it has no score, and the average starts anew behind it.

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

    def update(self, window: Window) -> float | None:
        """Score after a window of the stream; None if the window has values that are not finite."""
        with np.errstate(invalid="ignore"):
            statistics = window_statistics(window.samples[window.history :], self._channels) / self._scale
            away = float(nearest(statistics[None], self._table)[0])
        if not math.isfinite(away):
            self.forget()
            return None
        distance = math.log(max(away, _LEAST) / self._limit)
        before = distance if self._smoothed is None else self._smoothed
        self._smoothed = before + self._share * (distance - before)
        return math.exp(self._smoothed)
