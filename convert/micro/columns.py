"""TensorFlow Lite Micro on the columns of a cut graph: the same bits as on the whole one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, Streaming
from deseptr.tflite import StreamingGraphs
from deseptr.tflite.graph import read_graph
from deseptr.tflite.graph_input import GraphTensor, graph_input

from .runtime import ROOMY, open_interpreter, run_in_own_process, run_micro_outputs, stderr_in_errors


def differing_windows(
    flatbuffer: bytes, graphs: StreamingGraphs, contract: ModelContract, windows: NDArray[np.float32]
) -> int:
    """Number of windows for which the columns give other logits, or another embedding, than the whole int8 graph.

    Args:
        flatbuffer: the whole graph.
        graphs: its parts.
        contract: of the model.
        windows: ``[n, input_length, channels]`` in SI units.

    Raises:
        ConversionError: if the interpreter cannot run one of the graphs.
        SetupError: if the package ``tflite-micro`` is missing.
    """
    source = read_graph(flatbuffer).inputs[0]
    tensor = GraphTensor(source.index, np.dtype(np.int8), float(source.scales[0]), int(source.zero_points[0]))
    encoder = graph_input(contract, tensor)
    inputs = np.stack([encoder.values(window).astype(np.int8) for window in windows])
    by_columns = run_in_own_process(f"{__name__}:run_columns_here", graphs, inputs)
    whole = np.concatenate(run_micro_outputs(flatbuffer, inputs), axis=1)
    return int((by_columns != whole).any(axis=1).sum())


def run_columns_here(graphs: StreamingGraphs, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """Outputs int8 ``[n, classes + embedding_width]`` for encoded windows ``[n, window_length, channels]``."""
    ends, graph = len(read_graph(graphs.column).outputs), read_graph(graphs.time)
    results = [graph.outputs.index(end) for end in (graph.logits, graph.embedding) if end is not None]
    with stderr_in_errors():
        rows: list[NDArray[np.int8]] = []
        column, time = (open_interpreter(content, ROOMY) for content in (graphs.column, graphs.time))
        for window in inputs:
            _by_columns(column, time, ends, graphs.streaming, window)
            rows.append(np.concatenate([np.array(time.get_output(result)[0]) for result in results]))
    return np.stack(rows)


def _by_columns(column: Any, time: Any, ends: int, streaming: Streaming, window: NDArray[np.int8]) -> None:
    """Compute the outputs of the time graph."""
    rows = []
    for number in range(streaming.columns):
        start = number * streaming.column_stride
        column.set_input(window[None, start : start + streaming.column_length], 0)
        column.invoke()
        rows.append([np.array(column.get_output(end)) for end in range(ends)])
    for end, parts in enumerate(zip(*rows, strict=True)):
        time.set_input(np.concatenate(parts, axis=1), end)
    time.invoke()
