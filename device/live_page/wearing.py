"""The settings of a run on whose page wearers personalise the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import AS_TRAINED, Mounting
from deseptr.device.personal.switch import WearerSwitch
from deseptr.tflite import TfliteFile
from deseptr.tflite.engine import Engine


@dataclass(frozen=True)
class Wearing:
    """What personalising from the page needs of a run.

    Args:
        folder: for the wearers' files; made if it does not exist.
        model: the model that runs.
        make_engine: makes an engine of it for another thread, without a wearer.
        switch: changes the wearer of the stream.
        worn: the wearer with whom the run begins; None for nobody.
        mounting: gives the turn of the sensor that the stream corrects; None while that is being estimated.
    """

    folder: Path
    model: TfliteFile
    make_engine: Callable[[], Engine]
    switch: WearerSwitch
    worn: str | None = None
    mounting: Callable[[], Mounting | None] = lambda: AS_TRAINED
