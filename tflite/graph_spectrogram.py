"""The spectrogram inside a graph: the kernels that ``deseptr convert`` folded into its first convolutions.

They show what the model sees, with the gains that it was trained with and the rounding of its weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract

from .graph import Node, Tensor, read_graph

# The projections are saturated by RELU6.
SATURATION = 6.0


@dataclass(frozen=True, eq=False)
class SpectrogramPart:
    """One spectrogram of each channel: ``sums @ clip(projections @ frame, 0, 6)``.

    Args:
        view: 0 for the samples, or the coarse view of a contract with views; 1 for the fine view.
        projections: float32 ``[projections, frame_length]``, of samples as the graph gets them, within ±1.
        sums: float32 ``[bins, projections]``; bin 0 is DC, with its sign.
    """

    view: int
    projections: NDArray[np.float32]
    sums: NDArray[np.float32]


def read_spectrogram(content: bytes, contract: ModelContract) -> tuple[SpectrogramPart, ...]:
    """The spectrograms in a graph that ``deseptr convert`` made, in the graph's order; empty for a model without one.

    Args:
        content: of the ``.tflite`` file.
        contract: of the model.

    Raises:
        ModelError: if the graph cannot be parsed.
        SetupError: if ai-edge-litert, which provides the schema, is not installed.

        >>> from importlib.resources import files
        >>> from deseptr.tflite import read_tflite
        >>> model = read_tflite(files("deseptr.device") / "models" / "deseptr_motionsense.tflite")
        >>> [(part.view, part.sums.shape) for part in read_spectrogram(model.content, model.contract)]
        [(0, (12, 46)), (1, (12, 46))]
    """
    nodes = read_graph(content).nodes
    writer = {tensor.index: node for node in nodes for tensor in node.outputs}
    readers = {tensor.index: node for node in nodes for tensor in node.activations if tensor not in node.outputs}
    found: list[SpectrogramPart] = []
    for node in nodes:
        summing = readers.get(node.outputs[0].index) if _projects(node, contract) else None
        if summing is not None and _sums(summing, node):
            kernels = _values(node.inputs[1]).reshape(node.inputs[1].shape[0], -1)
            view = _first_channel(writer.get(node.inputs[0].index)) // len(contract.channels)
            sums = _values(summing.inputs[1]).reshape(summing.inputs[1].shape[0], -1)
            found.append(SpectrogramPart(view, kernels[:, : contract.stft.frame_length], sums))
    return tuple(replace(part, sums=sums) for part, sums in zip(found, _bins(found), strict=True))


def _projects(node: Node, contract: ModelContract) -> bool:
    """Whether a node is a convolution over frames in hops of a step, without a bias."""
    if node.op != "CONV_2D" or node.inputs[1].constant is None:
        return False
    _, rows, taps, step = node.inputs[1].shape
    spec = contract.stft
    covers = taps == -(-spec.frame_length // spec.frame_step)
    return rows == 1 and step == spec.frame_step and covers and _unbiased(node)


def _sums(node: Node, projecting: Node) -> bool:
    if node.op != "CONV_2D" or node.inputs[1].constant is None:
        return False
    return node.inputs[1].shape[1:] == (1, 1, projecting.inputs[1].shape[0]) and _unbiased(node)


def _unbiased(node: Node) -> bool:
    return not any(any(bias.constant or b"") for bias in node.inputs[2:])


def _first_channel(node: Node | None) -> int:
    """The first of the channels ``[1, channels, hops, step]`` that a slice takes; 0 without a slice."""
    if node is None or node.op != "STRIDED_SLICE":
        return 0
    begin = node.inputs[1].constant
    return 0 if begin is None else int(np.frombuffer(begin, np.int32)[1])


def _bins(parts: list[SpectrogramPart]) -> list[NDArray[np.float32]]:
    """Sums without the rows of zeros that pad the bins, of which the first part, which has DC, shows the number."""
    if not parts:
        return []
    used = np.flatnonzero(np.abs(parts[0].sums).sum(axis=1) > 0)
    return [part.sums[used[0] : used[-1] + 1] for part in parts]


def _values(tensor: Tensor) -> NDArray[np.float32]:
    """A constant as real numbers; scales are of its first axis."""
    assert tensor.constant is not None
    if tensor.type == "FLOAT32":
        return np.frombuffer(tensor.constant, np.float32).reshape(tensor.shape)
    scales = tensor.scales.reshape(-1, *(1 for _ in tensor.shape[1:]))
    return (np.frombuffer(tensor.constant, np.int8).reshape(tensor.shape) * scales).astype(np.float32)
