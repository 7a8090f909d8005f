"""Windows of a turned sensor, turned back as a run over the bus did."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, ModelContract, Mounting
from deseptr.device import MountingCorrection, MountingEvent, MountingWatch

NOT_KNOWN = "not known"


class WindowsTurnedBack:
    """Turns the windows of recordings back as a watch did that takes part in their replay.

    Args:
        watch: it; None if there is none.
        contract: the model's.
    """

    def __init__(self, watch: MountingWatch | None, contract: ModelContract) -> None:
        self._channels = contract.channels
        self._given = AS_TRAINED if watch is None or watch.given is None else watch.given
        self.named: Counter[str] = Counter()
        self.begin()

    def begin(self) -> None:
        """Begin a recording."""
        self._now = self._next = MountingCorrection(self._given, self._channels)

    def note(self, event: MountingEvent) -> None:
        """Take note of what the watch says with a window, for the windows after it."""
        self.named[event.found or NOT_KNOWN] += 1
        self._next = MountingCorrection(Mounting.named(event.applied), self._channels)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The samples ``[sample, channel]`` of the next window as the model saw them."""
        correct, self._now = self._now, self._next
        return correct(samples)
