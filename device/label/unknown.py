"""Why a window has no label: the one place where that is decided.

A window's label is ``unknown`` for a reason: ``implausible: …``, since no worn sensor measures such samples
(:mod:`deseptr.device.plausibility`), or ``unfamiliar``, since windows are unlike those that the model knows
(:class:`Familiarity`). A :class:`deseptr.device.LabelTracker` adds ``undecided``, where no class is probable enough.
"""

from __future__ import annotations

from typing import NamedTuple

from deseptr.contract import ModelContract
from deseptr.device.events import ImplausibleEvent
from deseptr.device.plausibility import FINDINGS, Plausibility
from deseptr.device.stream.windows import Window

from .familiarity import Familiarity

UNFAMILIAR = "unfamiliar"


class Judgement(NamedTuple):
    """What is known of a window before its label.

    Args:
        reason: why it has no label; None if it has one.
        event: implausible samples begin or end; else None.
        score: of :class:`Familiarity`; None of implausible samples, of values that are not finite, and of a model
            without known windows.
    """

    reason: str | None = None
    event: ImplausibleEvent | None = None
    score: float | None = None


class UnknownJudge:
    """Decides for each window of a stream whether it can have a label.

    Args:
        contract: the model's, at the hop of the stream.
        plausibility: whether samples that no worn sensor measures have no label.
        familiarity: whether windows unlike those that the model knows have no label, if its contract has them.
    """

    def __init__(self, contract: ModelContract, *, plausibility: bool = True, familiarity: bool = True) -> None:
        self._plausibility = Plausibility.of(contract) if plausibility else None
        self._heeds_familiarity = familiarity
        self.follow(contract)
        self._found = 0
        self._finding: str | None = None

    def follow(self, contract: ModelContract) -> None:
        """Take the known windows of a contract from here on; in all else it is as the one before."""
        known = contract.known_windows if self._heeds_familiarity else None
        self._familiarity = None if known is None else Familiarity(known, contract.channels, contract.hop_s)

    def measured_in(self, acc_count: float) -> None:
        """Take note of the acceleration of one count of the accelerometer, m/s^2; 0 if it is not known."""
        if self._plausibility is not None:
            self._plausibility.measured_in(acc_count)

    def reset(self) -> None:
        """Begin a new stream."""
        self.gap()
        if self._plausibility is not None:
            self._plausibility.reset()
        self._found, self._finding = 0, None

    def gap(self) -> None:
        """Note that samples were lost."""
        if self._plausibility is not None:
            self._plausibility.gap()
        if self._familiarity is not None:
            self._familiarity.forget()

    def update(self, window: Window, t: float) -> Judgement:
        """Judge a window.

        Args:
            window: its samples.
            t: time of its last sample, seconds.
        """
        finding = None if self._plausibility is None else self._plausibility.judge(window)
        event = self._change(finding, t)
        if finding is not None:
            if self._familiarity is not None:
                self._familiarity.forget()
            return Judgement(f"implausible: {finding}", event)
        if self._familiarity is None:
            return Judgement(None, event)
        score = self._familiarity.update(window)
        return Judgement(UNFAMILIAR if score is None or score > 1 else None, event, score)

    def _change(self, finding: str | None, t: float) -> ImplausibleEvent | None:
        before, self._finding = self._finding, finding
        if (finding is None) == (before is None):
            return None
        self._found += finding is not None
        name = finding or before
        assert name is not None
        return ImplausibleEvent(t, name, FINDINGS[name], self._found, ended=finding is None)
