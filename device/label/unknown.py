"""Why a window has no label: the one place where that is decided.

A window's label is ``unknown`` for a reason: ``implausible: …``, since no worn sensor measures such samples
(:mod:`deseptr.device.plausibility`). A :class:`deseptr.device.LabelTracker` adds ``undecided``, where no class is
probable enough.
"""

from __future__ import annotations

from deseptr.contract import ModelContract
from deseptr.device.events import ImplausibleEvent
from deseptr.device.plausibility import FINDINGS, Plausibility
from deseptr.device.stream.windows import Window


class UnknownJudge:
    """Decides for each window of a stream whether it can have a label.

    Args:
        contract: the model's.
    """

    def __init__(self, contract: ModelContract) -> None:
        self._plausibility = Plausibility.of(contract)
        self._found = 0
        self._finding: str | None = None

    def reset(self) -> None:
        """Begin a new stream."""
        self._plausibility.reset()
        self._found, self._finding = 0, None

    def gap(self) -> None:
        """Note that samples were lost."""
        self._plausibility.gap()

    def update(self, window: Window, t: float) -> tuple[str | None, ImplausibleEvent | None]:
        """Judge a window.

        Args:
            window: its samples.
            t: time of its last sample, seconds.

        Returns:
            The reason for which it has no label, or None; and an event if implausible samples begin or end.
        """
        finding = self._plausibility.judge(window)
        event = None
        if (finding is None) != (self._finding is None):
            self._found += finding is not None
            name = finding or self._finding
            assert name is not None
            event = ImplausibleEvent(t, name, FINDINGS[name], self._found, ended=finding is None)
            self._finding = finding
        return None if finding is None else f"implausible: {finding}", event
