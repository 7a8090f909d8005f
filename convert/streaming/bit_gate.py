"""Whether streamed logits and embeddings are those of whole windows, to the bit, on continuous held-out recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, ModelError
from deseptr.tflite import Engine, StreamingGraphs, TfliteFile
from deseptr.tflite.installed_engines import EngineHere
from deseptr.tflite.streaming_engine import StreamingEngine

_MOST_WINDOWS = 4096
_SLOW_ENGINE_WINDOWS = 400


@dataclass(frozen=True)
class BitComparison:
    """Streamed and whole windows on one engine.

    Args:
        engine: its name.
        windows: number of windows compared.
        differing: windows of which any logit or value of the embedding differs.
    """

    engine: str
    windows: int
    differing: int


def compare_bits(
    engines: Sequence[EngineHere], flatbuffer: bytes, graphs: StreamingGraphs, contract: ModelContract, windows: Windows
) -> tuple[BitComparison, ...]:
    """Stream recordings by columns, at a hop of one stride and of half, and each window through the whole graph.

    Engines that cannot run the whole graph are left out.

    Args:
        engines: those of the machine.
        flatbuffer: the whole graph.
        graphs: its parts.
        contract: of the model.
        windows: ``[n, input_length, channels]``, of which those that overlap become one recording.

    Raises:
        ModelError: if an engine that runs the whole graph cannot run a part.
    """
    model = TfliteFile(flatbuffer, contract, Path(contract.model))
    recordings = joined(windows, contract.hop_length)
    found = []
    for number, engine in enumerate(engines):
        try:
            whole = engine.load(model)
        except ModelError:
            continue
        most = _SLOW_ENGINE_WINDOWS if number else _MOST_WINDOWS
        compared = differing = 0
        for hop in hops(graphs.streaming.column_stride):
            streamed = engine.stream(model, graphs, hop)
            for segment, start, samples in _drawn(recordings, contract.input_length, hop, most):
                same = np.array_equal(streamed.invoke(samples, start, segment), whole.invoke(samples))
                same = same and _same_embedding(streamed, whole)
                compared, differing = compared + 1, differing + (not same)
        found.append(BitComparison(engine.name, compared, differing))
    return tuple(found)


def _same_embedding(streamed: StreamingEngine, whole: Engine) -> bool:
    if whole.embedding is None or streamed.embedding is None:
        return whole.embedding is streamed.embedding
    return np.array_equal(streamed.embedding, whole.embedding)


def hops(stride: int) -> tuple[int, ...]:
    """The hops that are tried: one set of columns, and two that take turns."""
    return (stride, stride // 2) if stride % 2 == 0 else (stride,)


Windows = NDArray[np.float32]


def joined(windows: Windows, hop: int) -> list[NDArray[np.float32]]:
    """Continuous recordings ``[n, channels]``: windows a hop apart are joined, others stand alone."""
    recordings: list[list[NDArray[np.float32]]] = []
    for number, window in enumerate(windows):
        if number and hop < len(window) and np.array_equal(windows[number - 1][hop:], window[:-hop]):
            recordings[-1].append(window[-hop:])
        else:
            recordings.append([window])
    return [np.concatenate(pieces) for pieces in recordings]


def _drawn(
    recordings: Sequence[NDArray[np.float32]], length: int, hop: int, most: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Windows as (recording, start, samples): the first ones of each recording, as many of each, about ``most``."""
    share = -(-most // max(1, len(recordings)))
    for number, samples in enumerate(recordings):
        for start in range(0, min(len(samples) - length + 1, share * hop), hop):
            yield number, start, samples[start : start + length]
