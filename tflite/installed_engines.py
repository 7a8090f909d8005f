"""The engines that work on this machine, and the logits that they compute for a flatbuffer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, SetupError

from .engine import Engine, TfliteEngine, engine_name, predict, predict_with_embeddings
from .file import StreamingGraphs, TfliteFile
from .graph import read_graph
from .runtimes import RUNTIMES, TfliteRuntime
from .streaming_engine import StreamingEngine


@dataclass(frozen=True)
class EngineHere:
    """An engine that works on this machine.

    Args:
        runtime: the runtime.
        kernels: its kernels, ``default`` or ``reference``.
    """

    runtime: TfliteRuntime
    kernels: str = "default"

    @property
    def name(self) -> str:
        """Name for reports, ``ai-edge-litert 2.3.0, reference kernels``."""
        return engine_name(self.runtime, self.kernels)

    def load(self, model: TfliteFile) -> Engine:
        """The engine for a file.

        Raises:
            ModelError: if it cannot run the graph, or if the graph does not fit its contract.
        """
        return TfliteEngine(model, self.runtime, kernels=self.kernels)

    def stream(self, model: TfliteFile, graphs: StreamingGraphs, hop_length: int) -> StreamingEngine:
        """The engine for the columns of a file.

        Raises:
            ModelError: if it cannot run a part, or if the parts do not fit the contract.
        """
        return StreamingEngine(model, graphs, hop_length, self.runtime, kernels=self.kernels)


def engines_here() -> list[EngineHere]:
    """The TFLite runtimes that work with this Python and numpy, each with its default and its reference kernels.

    Empty if none is installed. The reference kernels lack some versions of operations that the default kernels have.
    """
    found = []
    for runtime in RUNTIMES:
        if not runtime.installed():
            continue
        try:
            runtime.interpreter()
        except SetupError:  # numpy 2 beside tflite-runtime: installed, but not usable
            continue
        found += [EngineHere(runtime, kernels) for kernels in ("default", "reference")]
    return found


def logits_on(
    engine: EngineHere, content: bytes, contract: ModelContract, windows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Logits float32 ``[n, classes]`` of a flatbuffer on an engine.

    Args:
        engine: one of :func:`engines_here`.
        content: the flatbuffer; an appended archive is ignored.
        contract: contract of the model.
        windows: ``[n, input_length, channels]`` in SI units. Without views in the contract, a graph with float32 input
            gets them unchanged: for one that takes windows divided by the input range, such as ``InferenceGraph``,
            pass those.

    Raises:
        ModelError: if the engine cannot run the graph, or if the graph does not fit its contract.
    """
    return predict(engine.load(TfliteFile(content, contract, Path(contract.model))), windows)


def outputs_on(
    engine: EngineHere, content: bytes, contract: ModelContract, windows: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits as :func:`logits_on` and embeddings float32 ``[n, embedding_width]`` of a flatbuffer on an engine."""
    return predict_with_embeddings(engine.load(TfliteFile(content, contract, Path(contract.model))), windows)


def output_lsb(content: bytes) -> float | None:
    """Step of a graph's logits; None if they are float32.

    Raises:
        ModelError: if the flatbuffer cannot be parsed.
    """
    scales = read_graph(content).logits.scales
    return float(scales[0]) if scales.size else None
