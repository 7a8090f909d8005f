"""Signal to quantisation noise ratio (SQNR) of every layer: shows where a quantised graph loses accuracy.

Both flatbuffers run on the runtime's own kernels, without XNNPACK, since tensors inside XNNPACK cannot be read.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError
from deseptr.tflite.engine import CONVERT_AGAIN
from deseptr.tflite.graph import Graph, Node, Tensor, pack, read_graph, unpack
from deseptr.tflite.loading import graph_errors
from deseptr.tflite.runtimes import choose_runtime

_CASTS = frozenset({"QUANTIZE", "DEQUANTIZE"})
# These operations only copy values: any error in their output comes from the producer.
_MOVES = frozenset(
    {"EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "PACK", "PAD", "RESHAPE", "SLICE", "SPLIT", "SQUEEZE"}
    | {"STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK"}
)
# Each layer that runs alone is packed with all tensors of the graph: of an unrolled one, hours and gigabytes.
_MOST_ALONE = 300


@dataclass(frozen=True)
class LayerSqnr:
    """How well the output of a quantised layer follows that of the float layer.

    Args:
        layer: name of the layer's output in the float graph.
        op: its operation, ``CONV_2D``.
        sqnr_db: 10 log10(Σx²/Σ(x − x̂)²) over all windows, x in float and x̂ quantised; includes the error of all layers
            before it. Infinite if nothing differs.
        lsb_rms: root mean square of x − x̂ in steps of the output's scale; None for a layer that stays in float.
        elements: values in its output for one window.
        own_sqnr_db: the same ratio if only this layer is quantised and its inputs are the float graph's, rounded to
            its input scales; None if the layer cannot be run alone, or if the graph has hundreds of layers.
    """

    layer: str
    op: str
    sqnr_db: float
    lsb_rms: float | None
    elements: int
    own_sqnr_db: float | None

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values; an infinite ratio is None."""
        return {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in asdict(self).items()
        }


def layer_sqnr(float_model: bytes, quantised_model: bytes, inputs: NDArray[np.float32]) -> tuple[LayerSqnr, ...]:
    """SQNR of every layer that two flatbuffers of one network have in common, in the order of the quantised one.

    Layers are matched by operation and name, and the others by order if both graphs have the same operations left. The
    quantised graph may be int8, int16 with int8 weights, or mixed with float; operations that only change the type are
    not layers.

    Args:
        float_model: flatbuffer with float32 activations.
        quantised_model: flatbuffer of the same network.
        inputs: ``[n, …]`` as inputs of the float graph; a quantised input gets them rounded to its steps.

    Raises:
        ModelError: if a flatbuffer cannot be read or run, or if they have no layer in common.
        SetupError: if there is no runtime, or no schema to read flatbuffers with.
    """
    graph, quantised = read_graph(float_model, "float model"), read_graph(quantised_model, "quantised model")
    layers = _layers(graph, quantised, quantised_model)
    whole, lossy = _Runner(float_model, graph.inputs), _Runner(quantised_model, quantised.inputs)
    for window in inputs:
        whole.run([window])
        lossy.run([window])
        for layer in layers:
            layer.accumulate(whole.read, lossy.read)
    return tuple(layer.figures(len(inputs)) for layer in layers)


def worst(layers: Sequence[LayerSqnr], count: int = 5) -> tuple[LayerSqnr, ...]:
    """The layers with the lowest ratio, the worst first; ranked by their own ratio if known.

    Operations that only move values, such as RESHAPE, are left out: their errors come from their producers.
    """

    def key(layer: LayerSqnr) -> float:
        return layer.sqnr_db if layer.own_sqnr_db is None else layer.own_sqnr_db

    return tuple(sorted((layer for layer in layers if layer.op not in _MOVES), key=key)[:count])


_Read = Callable[[Tensor], NDArray[np.float64]]


class _Runner:
    """A flatbuffer on kernels whose tensors can be read: real numbers in, any activation out as real numbers."""

    def __init__(self, content: bytes, inputs: Sequence[Tensor]) -> None:
        self._inputs = inputs
        runtime = choose_runtime("auto")
        make = runtime.interpreter("builtin")
        with graph_errors("model", runtime.version(), CONVERT_AGAIN):
            self._interpreter = make(model_content=content, experimental_preserve_all_tensors=True)
            self._interpreter.allocate_tensors()
            self.run(np.zeros(tensor.shape) for tensor in inputs)

    def run(self, values: Iterable[NDArray[Any]]) -> None:
        for tensor, value in zip(self._inputs, values, strict=True):
            self._interpreter.set_tensor(tensor.index, _encoded(value, tensor))
        self._interpreter.invoke()

    def read(self, tensor: Tensor) -> NDArray[np.float64]:
        values = np.asarray(self._interpreter.get_tensor(tensor.index), np.float64)
        return (values - tensor.zero_points[0]) * float(tensor.scales[0]) if _quantised(tensor) else values


class _Layer:
    """A layer of both graphs, with the quantised one also run alone if possible, and the sums for its figures."""

    def __init__(self, node: Node, quantised: Node, alone: _Runner | None, sources: Sequence[Tensor]) -> None:
        self._node, self._quantised = node, quantised
        self._alone, self._sources = alone, sources
        self._signal = self._noise = self._own_noise = 0.0

    def accumulate(self, whole: _Read, lossy: _Read) -> None:
        """Add a window; both graphs must just have run on it."""
        exact = self._outputs(whole, self._node)
        self._signal += _energy(exact)
        self._noise += _energy(exact - self._outputs(lossy, self._quantised))
        if self._alone is not None:
            self._alone.run(whole(source) for source in self._sources)
            self._own_noise += _energy(exact - self._outputs(self._alone.read, self._quantised))

    def figures(self, windows: int) -> LayerSqnr:
        """The figures after ``windows`` windows."""
        output = self._quantised.outputs[0]
        elements = sum(tensor.elements for tensor in self._node.outputs)
        rms = np.sqrt(self._noise / max(1, windows * elements))
        return LayerSqnr(
            self._node.name,
            self._node.op,
            _decibels(self._signal, self._noise),
            float(rms / output.scales[0]) if _quantised(output) else None,
            elements,
            None if self._alone is None else _decibels(self._signal, self._own_noise),
        )

    @staticmethod
    def _outputs(read: _Read, node: Node) -> NDArray[np.float64]:
        return np.concatenate([read(tensor).ravel() for tensor in node.outputs])


def _layers(graph: Graph, quantised: Graph, content: bytes) -> list[_Layer]:
    matches = _match(_working(graph), _working(quantised))
    if not matches:
        raise ModelError(
            "float and quantised model",
            found="no layer in common",
            expected="two flatbuffers of the same network",
            next_step="convert both from one checkpoint",
        )
    source_of = _sources(graph, quantised, matches)
    model = unpack(content)
    one_by_one = len(matches) <= _MOST_ALONE
    layers = []
    for index, node in enumerate(quantised.nodes):
        if id(node) in matches:
            sources = [source_of.get(tensor.index) for tensor in _fed(node)]
            known = [tensor for tensor in sources if tensor is not None]
            alone = _alone(model, index, node) if one_by_one and len(known) == len(sources) else None
            layers.append(_Layer(matches[id(node)], node, alone, known))
    return layers


def _working(graph: Graph) -> list[Node]:
    real = [node for node in graph.nodes if node.op not in _CASTS]
    return [node for node in real if all(t.type == "FLOAT32" or _quantised(t) for t in node.outputs)]


def _match(exact: Sequence[Node], quantised: Sequence[Node]) -> dict[int, Node]:
    """The matching float node of each quantised node, by the id of the latter."""
    named = _unique(exact)
    matches = {
        id(node): named[key] for key, node in _unique(quantised).items() if key in named and _alike(named[key], node)
    }
    taken = {id(node) for node in matches.values()}
    rest = [node for node in exact if id(node) not in taken], [node for node in quantised if id(node) not in matches]
    if len(rest[0]) == len(rest[1]) and all(map(_alike, *rest)):
        matches.update((id(theirs), ours) for ours, theirs in zip(*rest, strict=True))
    return matches


def _unique(nodes: Sequence[Node]) -> dict[tuple[str, str], Node]:
    counts = Counter((node.op, node.name) for node in nodes)
    return {(node.op, node.name): node for node in nodes if counts[node.op, node.name] == 1}


def _alike(exact: Node, quantised: Node) -> bool:
    return exact.op == quantised.op and [t.shape for t in exact.outputs] == [t.shape for t in quantised.outputs]


def _sources(graph: Graph, quantised: Graph, matches: Mapping[int, Node]) -> dict[int, Tensor]:
    """The corresponding float tensor of each tensor of the quantised graph, by the index of the latter."""
    found = {ours.index: exact for ours, exact in zip(quantised.inputs, graph.inputs, strict=True)}
    for node in quantised.nodes:
        if id(node) in matches:
            pairs = zip(node.outputs, matches[id(node)].outputs, strict=True)
            found.update((ours.index, exact) for ours, exact in pairs)
        elif node.op in _CASTS and node.inputs[0].index in found:
            found[node.outputs[0].index] = found[node.inputs[0].index]
    return found


def _fed(node: Node) -> list[Tensor]:
    """Inputs of a node run alone; a tensor that it reads twice is listed once."""
    return list({tensor.index: tensor for tensor in node.inputs if tensor.constant is None}.values())


def _alone(model: Any, index: int, node: Node) -> _Runner | None:
    """An operation as a separate graph; None if the runtime rejects it."""
    single, graph = copy.copy(model), copy.copy(model.subgraphs[0])
    graph.operators = [graph.operators[index]]
    graph.inputs = [tensor.index for tensor in _fed(node)]
    graph.outputs = [tensor.index for tensor in node.outputs]
    single.subgraphs = [graph, *model.subgraphs[1:]]
    single.signatureDefs = single.metadata = None
    needed = {graph.tensors[tensor.index].buffer for tensor in (*node.inputs, *node.outputs)}
    needed |= {tensor.buffer for other in single.subgraphs[1:] for tensor in other.tensors}
    single.buffers = [buffer if place in needed else type(buffer)() for place, buffer in enumerate(model.buffers)]
    try:
        return _Runner(pack(single), _fed(node))
    except ModelError:
        return None


def _quantised(tensor: Tensor) -> bool:
    return tensor.type in ("INT8", "UINT8", "INT16") and tensor.scales.size > 0


def _encoded(values: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    values = np.asarray(values, np.float32).reshape(tensor.shape)
    if not _quantised(tensor):
        return values
    kind = np.dtype(tensor.type.lower())
    limits = np.iinfo(kind)
    steps = np.rint(values / tensor.scales[0]) + tensor.zero_points[0]
    return np.clip(steps, limits.min, limits.max).astype(kind)


def _energy(values: NDArray[np.float64]) -> float:
    return float(np.square(values).sum())


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return np.inf
    return float(10 * np.log10(signal / noise)) if signal else -np.inf
