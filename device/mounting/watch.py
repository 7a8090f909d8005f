"""The mounting of a run: what is applied to each window before the model, and the event that says so."""

from __future__ import annotations

from dataclasses import replace

from deseptr.contract import ModelContract, Mounting
from deseptr.device.events import MountingEvent
from deseptr.device.stream.windows import Window

from .correction import MountingCorrection


class MountingWatch:
    """Corrects the windows of a stream for the mounting of its sensor.

    Args:
        contract: the model's.
        mounting: how the sensor is turned.

    Raises:
        SetupError: if the model has not all axes of a sensor.
    """

    def __init__(self, contract: ModelContract, mounting: Mounting) -> None:
        self._correction = MountingCorrection(mounting, contract.channels)
        self._told = False

    def reset(self) -> None:
        """Begin a new stream."""
        self._told = False

    def update(self, window: Window, t: float) -> tuple[Window, MountingEvent | None]:
        """Correct a window.

        Args:
            window: as measured.
            t: time of its last sample, seconds.

        Returns:
            The window as the model is to see it; and an event with the first one.
        """
        event = None if self._told else MountingEvent(t, self._correction.mounting.name, str(self._correction.mounting))
        self._told = True
        return replace(window, samples=self._correction(window.samples)), event
