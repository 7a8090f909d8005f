"""The engines that work on this machine, and the logits that they compute for a flatbuffer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, SetupError

from .engine import Engine, TfliteEngine, predict
from .file import TfliteFile
from .graph import read_graph
from .runtimes import RUNTIMES


@dataclass(frozen=True)
class EngineHere:
    """An engine that works on this machine.

    Args:
        name: name for reports, ``ai-edge-litert 2.3.0, reference kernels``.
        load: creates the engine for a file; raises ModelError for a graph that it cannot run.
    """

    name: str
    load: Callable[[TfliteFile], Engine]


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
        name = runtime.version()
        found.append(EngineHere(name, partial(TfliteEngine, runtime=runtime)))
        found.append(
            EngineHere(f"{name}, reference kernels", partial(TfliteEngine, runtime=runtime, kernels="reference"))
        )
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


def output_lsb(content: bytes) -> float | None:
    """Step of a graph's logits; None if they are float32.

    Raises:
        ModelError: if the flatbuffer cannot be parsed.
    """
    scales = read_graph(content).outputs[0].scales
    return float(scales[0]) if scales.size else None
