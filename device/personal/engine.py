"""A model with a wearer's correction: what runs it needs nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.contract.familiar_statistics import window_statistics
from deseptr.tflite.engine import Engine

from .correction import fit_correction
from .wearer_file import WearerFile


class PersonalEngine:
    """An engine whose logits are corrected for a wearer; new labels come after the model's.

    Args:
        engine: the model, at whatever hop.
        file: what was recorded of the wearer for this model.

    Attributes:
        uncorrected: logits float32 ``[classes]`` of the model itself for the window before; valid until the next call.
    """

    def __init__(self, engine: Engine, file: WearerFile) -> None:
        self.engine, self.wearer, self.mountings = engine, file.wearer, file.mountings
        self.contract = personal_contract(engine.contract, file)
        temperature = engine.contract.logit_temperature or 1.0
        self._correction = fit_correction(file.recorded, temperature, len(file.new_labels))
        self._logits = np.zeros(len(self.contract.labels), np.float32)
        self.uncorrected = np.zeros(len(engine.contract.labels), np.float32)

    @property
    def name(self) -> str:
        """That of the engine."""
        return self.engine.name

    @property
    def threads(self) -> int:
        """Those of the engine."""
        return self.engine.threads

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Embedding float32 ``[embedding_width]`` of the window before; None if the model has none."""
        return self.engine.embedding

    def is_new(self, label: int) -> bool:
        """Whether the label of this index is the wearer's, which the model lacks."""
        return label >= len(self.engine.contract.labels)

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Corrected logits float32 ``[classes + new labels]`` of a window; valid until the next call."""
        return self.correct(self.engine.invoke(window), self.engine.embedding, window)

    def correct(
        self, logits: NDArray[np.float32], embedding: NDArray[np.float32] | None, window: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Corrected logits of a window's logits, embedding and samples; valid until the next call."""
        contract, statistics = self.engine.contract, None
        self.uncorrected = logits
        if len(self.contract.labels) > len(contract.labels):
            statistics = window_statistics(window[-contract.window_length :], contract.channels)
        self._logits[:] = self._correction.apply(logits, logits if embedding is None else embedding, statistics)
        return self._logits


def personal_contract(contract: ModelContract, file: WearerFile) -> ModelContract:
    """The contract with the wearer's new labels.

    A tuned decision by a chain of the model's classes says nothing about further ones: with new labels its thresholds
    and times stay, and its smoothing is the default. Known windows have nothing of a new activity, which would be
    unfamiliar: they are left out.
    """
    decision = contract.decision
    if file.new_labels and decision is not None and decision.chain is not None:
        decision = replace(decision, chain=None, smoothing=type(decision)().smoothing)
    known = None if file.new_labels else contract.known_windows
    return replace(contract, labels=(*contract.labels, *file.new_labels), decision=decision, known_windows=known)


def personalised(engine: Engine, file: WearerFile | None) -> Engine:
    """The engine with a wearer's correction; the engine itself without a file."""
    return engine if file is None else PersonalEngine(engine, file)
