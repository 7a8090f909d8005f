"""Another wearer for a stream that runs: prepared on any thread, put on by the stream between two windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deseptr.contract import DecisionConfig, ModelContract
from deseptr.tflite.engine import Engine

from .engine import personalised
from .wearer_file import WearerFile


@dataclass(frozen=True, eq=False)
class Worn:
    """What a stream needs to go on for another wearer.

    Args:
        engine: the model, corrected for the wearer; as it is for nobody.
        decision: how its labels are decided on.
    """

    engine: Engine
    decision: DecisionConfig


class WearerSwitch:
    """Holds what a stream is to wear.

    Args:
        engine: the model without a wearer, at the hop of the stream.
        decide: gives the decision for a contract, which may have further labels.
        first: the wearer with whom the stream begins; None for nobody.
    """

    def __init__(
        self, engine: Engine, decide: Callable[[ModelContract], DecisionConfig], first: WearerFile | None = None
    ) -> None:
        self._engine, self._decide = engine, decide
        self.first = self.worn = self._prepare(first)
        """What the stream begins with, and what it is to have from the next window on."""

    def wear(self, file: WearerFile | None) -> None:
        """Have the stream corrected for another wearer, or for nobody; the correction is fitted here."""
        self.worn = self._prepare(file)

    def _prepare(self, file: WearerFile | None) -> Worn:
        engine = personalised(self._engine, file)
        return Worn(engine, self._decide(engine.contract))
