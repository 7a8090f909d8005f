"""The mounting of a run: samples are corrected for it, and it is compared with that of the training.

Without being told how the sensor is turned, a watch estimates it in the first minutes, says so once, and corrects the
windows from then on if it is to.
"""

from __future__ import annotations

from dataclasses import replace

from deseptr.contract import AS_TRAINED, ModelContract, Mounting, MountingReference, SetupError
from deseptr.device.events import MountingEvent
from deseptr.device.stream.windows import Window

from .correction import MountingCorrection
from .estimator import MountingEstimator
from .likelihoods import FoundMounting

AUTO = "auto"
LONGEST_S = 600.0
"""Seconds of windows after which a mounting that is not clear stays unknown."""


class MountingWatch:
    """Corrects the windows of a stream for the mounting of its sensor, or estimates the mounting.

    Args:
        contract: the model's.
        mounting: how the sensor is turned; ``auto`` to estimate it and correct for it; None to estimate it and say so
            only, if the contract has a reference.

    Raises:
        SetupError: if the model has not all axes of a sensor, or no reference for ``auto``, or there is no such turn.
    """

    def __init__(self, contract: ModelContract, mounting: Mounting | str | None) -> None:
        given = None if mounting in (AUTO, None) else mounting
        self._given = Mounting.named(given) if isinstance(given, str) else given
        self._correct_found = mounting == AUTO
        self._contract = contract
        reference = require_reference(contract) if self._correct_found else contract.mounting
        self._reference = reference if self._given is None else None
        self.reset()

    @property
    def given(self) -> Mounting | None:
        """How the sensor is turned, as was said; None if it is estimated."""
        return self._given

    @property
    def settled(self) -> Mounting | None:
        """The turn that the stream's windows are corrected for from now on; None if that waits for an estimate."""
        return None if self._correct_found and not self._told else self.applied

    @property
    def applied(self) -> Mounting:
        """The turn that windows are corrected for now."""
        return self._correction.mounting

    @classmethod
    def of(cls, contract: ModelContract, mounting: Mounting | str | None) -> MountingWatch | None:
        """The watch of a model's stream; None if nothing is said and the contract has no reference."""
        return None if mounting is None and contract.mounting is None else cls(contract, mounting)

    def reset(self) -> None:
        """Begin a new stream."""
        self._correction = MountingCorrection(self._given or AS_TRAINED, self._contract.channels)
        self._estimator = _estimator(self._reference, self._contract)
        self._next, self._told = 0, False

    def correct(self, window: Window) -> Window:
        """A window as the model is to see it."""
        if self._correction.mounting == AS_TRAINED:
            return window
        # What was computed of windows before the correction must not be used for those after it.
        return replace(window, samples=self._correction(window.samples), segment=-2 - window.segment)

    def note(self, window: Window, t: float, *, plausible: bool) -> MountingEvent | None:
        """Take note of a window that was classified.

        Args:
            window: as measured.
            t: time of its last sample, seconds.
            plausible: whether a worn sensor may measure such samples.

        Returns:
            An event, once in a stream: with the first window if the turn was given, else when it is known, or when it
            is given up.
        """
        if self._told:
            return None
        if self._given is not None:
            return self._tell(t, None, f"the sensor is {self._given}, as was said")
        if self._estimator is None or window.start < self._next or not plausible:
            return None
        self._next = window.end + 1
        self._estimator.add(window.samples[window.history :])
        found = self._estimator.found()
        if found.clear:
            return self._found(t, found)
        if found.windows * self._contract.window_s < LONGEST_S:
            return None
        return self._tell(t, None, f"whether the sensor is turned is not known after {LONGEST_S / 60:.0f} min of wear")

    def _found(self, t: float, found: FoundMounting) -> MountingEvent:
        turn = found.turns[0]
        if turn == AS_TRAINED:
            return self._tell(t, found, "the sensor seems mounted as in training")
        several = "; the training wearers wore it either way" if len(found.turns) > 1 else ""
        if self._correct_found:
            self._correction = MountingCorrection(turn, self._contract.channels)
        return self._tell(t, found, f"the sensor seems {found}{several}")

    def _tell(self, t: float, found: FoundMounting | None, meaning: str) -> MountingEvent:
        self._told, self._estimator = True, None
        return MountingEvent(t, self._correction.mounting.name, None if found is None else found.names, meaning)


def require_reference(contract: ModelContract) -> MountingReference:
    """What the mounting is estimated by.

    Raises:
        SetupError: if the model has none.
    """
    if contract.mounting is None:
        raise SetupError(
            "--mounting auto",
            found="a model that does not know how the sensor was worn in training",
            expected="a contract with a mounting",
            next_step="`deseptr calibrate --mounting` with its recordings, or name the turn, as --mounting x90",
        )
    return contract.mounting


def _estimator(reference: MountingReference | None, contract: ModelContract) -> MountingEstimator | None:
    return None if reference is None else MountingEstimator(reference, contract.channels)
