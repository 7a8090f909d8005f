"""The windows of wearers as a device sees them: what a reference of drift is counted from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.data import Dataset, Recording
from deseptr.data.acc_count import acc_count_of
from deseptr.device import PushStream, UnknownJudge, WindowEvent
from deseptr.tflite import Engine

from .continuous.playing import signals_of

_BLOCK_S = 60.0
_PIECE = 4096
Rows = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Observed:
    """The plausible windows of a wearer, as the device sees them.

    Args:
        label: index of each window's most probable class.
        confidence: its probability.
        score: of unfamiliar windows; NaN where there is none.
        embedding: ``[window, value]``; of no values without an embedding.
        gravity: mean acceleration, m/s^2; NaN of a window in which the sensor moved.
        block: minute in which the window is, counted over the wearer's recordings.
    """

    label: Places
    confidence: Rows
    score: Rows
    embedding: Rows
    gravity: Rows
    block: Places


def observe(engine: Engine, contract: ModelContract, dataset: Dataset) -> Observed:
    """Play recordings through the device's stream and keep what it sees."""
    tap = _Tap(engine, contract)
    events: list[WindowEvent] = []
    blocks: list[int] = []
    acc_count = acc_count_of(dataset.recordings)
    for recording in dataset.recordings:
        begun = blocks[-1] + 1 if blocks else 0
        for event in _played(tap, contract, recording, acc_count):
            events.append(event)
            blocks.append(begun + int(event.t // _BLOCK_S))
    kept = [place for place, event in enumerate(events) if not (event.unknown or "").startswith("implausible")]
    events = [events[place] for place in kept]
    labels = [max(event.probabilities, key=event.probabilities.__getitem__) for event in events]
    return Observed(
        np.array([contract.labels.index(label) for label in labels], np.int64),
        np.array([event.confidence for event in events], np.float64),
        _numbers([event.score for event in events]),
        np.array([tap.embeddings[place] for place in kept], np.float64).reshape(len(events), contract.embedding_width),
        _numbers([event.gravity for event in events]),
        np.array([blocks[place] for place in kept], np.int64),
    )


def _played(tap: _Tap, contract: ModelContract, recording: Recording, acc_count: float) -> Iterator[WindowEvent]:
    unknown = UnknownJudge(contract)
    unknown.measured_in(acc_count)
    stream = PushStream(tap, recording.rate_hz, unknown=unknown)
    signals = signals_of(recording, contract)
    for start in range(0, len(signals), _PIECE):
        yield from (event for event in stream.push(signals[start : start + _PIECE]) if isinstance(event, WindowEvent))


class _Tap:
    """Stands where the engine does, with the temperature of another contract, and keeps the embeddings."""

    def __init__(self, engine: Engine, contract: ModelContract) -> None:
        self.name, self.threads, self._engine = engine.name, engine.threads, engine
        self.contract = contract
        self.embeddings: list[NDArray[np.float32]] = []
        self._gain = np.float32((engine.contract.logit_temperature or 1.0) / (contract.logit_temperature or 1.0))

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """That of the engine."""
        return self._engine.embedding

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits at the contract's temperature."""
        logits = self._engine.invoke(window) * self._gain
        embedding = self._engine.embedding
        self.embeddings.append(np.empty(0, np.float32) if embedding is None else embedding.copy())
        return logits


def _numbers(values: Sequence[float | None]) -> Rows:
    return np.array([math.nan if value is None else value for value in values], np.float64)
