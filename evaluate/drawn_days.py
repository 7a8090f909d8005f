"""Days drawn minute by minute from a wearer's recordings: the windows of a minute are alike.

They are moving blocks (Künsch, Ann. Stat. 17, 1989). Each day has a mix of activities of its own, often with much of
one, or is mostly of one, as days are and recordings are not.
"""

from __future__ import annotations

import numpy as np

from .observed_windows import Observed, Places

DAYS, DAYS_ALONE = 40, 20
"""Days that are drawn of each wearer for each size: of all activities, and of each mostly alone."""
# Of a symmetric Dirichlet distribution: of six activities, the commonest has half of the time or more every other day.
# At 0.2, two thirds, the limits are so wide that less is found, and hardly less without a reason.
_EVENNESS = 0.5
# Share of the minutes of an activity in a day that is mostly of it.
_LEAST_ALONE = 0.8
# A day of a single minute again and again says nothing of the activity.
_LEAST_BLOCKS = 2


class DrawnDays:
    """Draws days from the minutes of a wearer.

    Args:
        one: the wearer's windows.
        classes: number of classes.

    Attributes:
        mixes: number of windows, ``[minute, class]``.
    """

    def __init__(self, one: Observed, classes: int) -> None:
        blocks, self._minute = np.unique(one.block, return_inverse=True)
        self._count = len(blocks)
        self.mixes = self.table(one.label, classes)
        self._activities = self.mixes.argmax(axis=1)

    def table(self, places: Places, width: int) -> Places:
        """Number of windows ``[minute, place]``, from the place of each window, -1 for none."""
        table = np.zeros((self._count, width), np.int64)
        there = places >= 0
        np.add.at(table, (self._minute[there], places[there]), 1)
        return table

    def mixed(self, windows: int, rng: np.random.Generator) -> Places:
        """How often each minute is drawn into each day of about so many windows, ``[day, minute]``."""
        _, places, counts = np.unique(self._activities, return_inverse=True, return_counts=True)
        mixes = rng.dirichlet(np.full(len(counts), _EVENNESS), DAYS)
        return np.array([rng.multinomial(self._minutes(windows), (mix / counts)[places]) for mix in mixes])

    def alone(self, label: int, windows: int, rng: np.random.Generator) -> Places | None:
        """The same of days that are mostly of one class; None if the wearer has too little of it."""
        own = self._activities == label
        if own.sum() < _LEAST_BLOCKS:
            return None
        rest = max(1, int((~own).sum()))
        shares = rng.uniform(_LEAST_ALONE, 1.0, DAYS_ALONE) if not own.all() else np.ones(DAYS_ALONE)
        weights = [np.where(own, share / own.sum(), (1 - share) / rest) for share in shares]
        return np.array([rng.multinomial(self._minutes(windows), each / each.sum()) for each in weights])

    def _minutes(self, windows: int) -> int:
        return max(1, round(windows * self._count / int(self.mixes.sum())))
