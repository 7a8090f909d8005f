"""The steps of an int8 input before a 16-bit graph, whose model was trained on windows rounded to these steps.

A 16-bit window has details that the model has never seen: below the 8-bit steps it takes the small movements of a
resting wearer for a tremor. At the upper end it saturates one step later than int8 does.
"""

from __future__ import annotations

from typing import Any

from deseptr.contract import INPUT_STEPS
from deseptr.tflite.edit import add_tensor, operator


def round_input(model: Any, step: float = 1 / INPUT_STEPS) -> None:
    """Add an input with a coarser step and a QUANTIZE from it to the previous input.

    Args:
        model: as :func:`deseptr.tflite.graph.unpack` returns it, with one int16 input; it is changed.
        step: step of the new input, in units of the input range.
    """
    graph = model.subgraphs[0]
    before = int(graph.inputs[0])
    window = add_tensor(model, "rounded_window", graph.tensors[before].shape, kind="INT16", scale=step)
    graph.operators = [operator(model, "QUANTIZE", [window], before, version=2), *graph.operators]
    graph.inputs = [window]
    model.signatureDefs = None
