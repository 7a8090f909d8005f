"""``deseptr convert`` as a function: a run folder in, a checked ``.tflite`` with its contract inside out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import (
    ModelContract,
    Scores,
    atomic_path,
    embed_contract,
    score,
)
from deseptr.device import load_engine, predict
from deseptr.device.graph import read_graph

from .lint import check, non_int8_ops
from .quantize import quantize_run
from .targets import TARGETS

AGREEMENT_WANTED = 0.99


@dataclass(frozen=True)
class Conversion:
    """What was converted and how it compares with the checkpoint on held-out windows.

    Args:
        path: the ``.tflite`` file.
        size: of the file, bytes.
        ops: how often each operation occurs.
        non_int8: operations with an activation that is not int8.
        agreement: share of windows on which checkpoint and int8 model name the same class.
        float_scores: of the checkpoint.
        int8_scores: of the int8 model on this machine's runtime.
        runtime: that runtime and its version.
        contract: what is inside the file.
    """

    path: Path
    size: int
    ops: dict[str, int]
    non_int8: list[str]
    agreement: float
    float_scores: Scores
    int8_scores: Scores
    runtime: str
    contract: ModelContract

    @property
    def agrees(self) -> bool:
        """Whether the int8 model is the same model for practical purposes."""
        return self.agreement >= AGREEMENT_WANTED

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "path": str(self.path),
            "bytes": self.size,
            "ops": self.ops,
            "non_int8_ops": self.non_int8,
            "windows": self.int8_scores.windows,
            "agreement": self.agreement,
            "float_macro_f1": self.float_scores.macro_f1,
            "int8_macro_f1": self.int8_scores.macro_f1,
            "runtime": self.runtime,
            "model": self.contract.model,
        }


def convert_run(run: Path, output: Path) -> Conversion:
    """Convert a run's student to a full int8 ``.tflite`` and measure it against the checkpoint.

    ``output`` is written only after the graph has passed the lint and run on this machine.

    Args:
        run: run folder of ``deseptr train``, or a ``.keras`` file with contract and calibration beside it.
        output: file to write.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the graph cannot be lowered or converted, or is not int8 throughout.
        SetupError: if ``output`` cannot be written or there is no TFLite runtime.
    """
    flatbuffer, contract, held_out = quantize_run(run)
    graph = read_graph(flatbuffer, run)
    check(graph, TARGETS["pi"], "int8", run)
    content = embed_contract(flatbuffer, contract)
    with atomic_path(output) as temporary:
        temporary.write_bytes(content)
        engine = load_engine(temporary)
        predicted = predict(engine, held_out.windows).argmax(axis=1)

    def scores(classes: Any) -> Scores:
        return score(held_out.labels, classes, contract.labels, held_out.subjects)

    return Conversion(
        path=output,
        size=len(content),
        ops=graph.ops,
        non_int8=non_int8_ops(graph.nodes),
        agreement=float((predicted == held_out.predicted).mean()),
        float_scores=scores(held_out.predicted),
        int8_scores=scores(predicted),
        runtime=engine.name,
        contract=contract,
    )
