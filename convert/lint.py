"""Checks that a flatbuffer keeps the promise of its mode and contains only what its target can run.

The converter leaves operations in float without a warning; this module reads the graph and reports them. It runs
nothing: numerical results are checked elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from deseptr.contract import ConversionError
from deseptr.tflite.graph import Graph, Node

from .edgetpu import edgetpu_share
from .recipe import QUANTISED_MODES
from .targets import Target

_INT8 = {"INT8"}
_FLOATS = {"FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16"}
_COMPLEX_OPS = {"RFFT2D", "COMPLEX_ABS", "REAL", "IMAG"}
_COMPLEX_TYPES = {"COMPLEX64", "COMPLEX128"}
_CONVERSIONS = {"QUANTIZE", "DEQUANTIZE"}
_SUBGRAPH_OPS = {"IF", "WHILE", "CALL", "CALL_ONCE"}
_BUILTIN = re.compile(r"[A-Z0-9_]+")
_LISTED = 5


class LintFinding(NamedTuple):
    """One operation that breaks one rule.

    Args:
        rule: the broken rule, ``float islands``.
        op: the operation.
        layer: its layer, as the converter names it.
        found: what the graph contains.
        expected: what the rule requires.
    """

    rule: str
    op: str
    layer: str
    found: str
    expected: str


@dataclass(frozen=True)
class Lint:
    """Operations of a graph and the rules that they break.

    Args:
        target: name of the target.
        mode: mode of the conversion.
        nodes: number of operations.
        ops: number of each operation.
        non_int8: operations with an activation that is not int8.
        quantize: number of QUANTIZE operations, including that at the input.
        dequantize: number of DEQUANTIZE operations.
        macs: multiply-accumulates per inference.
        findings: broken rules.
        edgetpu: estimated share of an Edge TPU, if the target has one.
    """

    target: str
    mode: str
    nodes: int
    ops: dict[str, int]
    non_int8: tuple[str, ...]
    quantize: int
    dequantize: int
    macs: int
    findings: tuple[LintFinding, ...]
    edgetpu: dict[str, Any] | None = None

    @classmethod
    def of(cls, graph: Graph, target: Target, mode: str, float_layers: Collection[str] = ()) -> Lint:
        """Lint a graph.

        Raises:
            ConversionError: if the target has no such mode.
        """
        return cls(
            target=target.name,
            mode=mode,
            nodes=len(graph.nodes),
            ops=graph.ops,
            non_int8=tuple(non_int8_ops(graph.nodes)),
            quantize=graph.ops.get("QUANTIZE", 0),
            dequantize=graph.ops.get("DEQUANTIZE", 0),
            macs=graph.macs,
            findings=lint(graph, target, mode, float_layers),
            edgetpu=edgetpu_share(graph) if target.accelerated else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            **asdict(self),
            "non_int8": list(self.non_int8),
            "findings": [finding._asdict() for finding in self.findings],
        }


def non_int8_ops(nodes: Sequence[Node]) -> list[str]:
    """Operations with an activation that is not int8, each with the layer it comes from."""
    return [f"{node.op} ({node.name})" for node in nodes if node.types != _INT8]


def lint(graph: Graph, target: Target, mode: str, float_layers: Collection[str] = ()) -> tuple[LintFinding, ...]:
    """Violations of the rules of target and mode in a graph, in order of execution.

    Float is allowed in a quantised mode for: the QUANTIZE after a float input, an optional MUL before it, and the
    DEQUANTIZE before a float output; layers that were requested to stay in float; in int16x8, operations without a
    16-bit kernel; and the casts around these.

    Args:
        graph: as :func:`deseptr.tflite.graph.read_graph` returns it.
        target: the target to run it.
        mode: mode of the conversion.
        float_layers: names of layers that were requested to stay in float.

    Raises:
        ConversionError: if the target does not have the mode.
    """
    if mode not in target.modes:
        raise ConversionError(
            f"target {target.name}",
            found=f"mode {mode}",
            expected=" or ".join(target.modes),
            next_step="choose one of these, or another target",
        )
    welcome = _boundary(graph) | _stand_ins(graph, target, mode, float_layers)
    return tuple(finding for node in graph.nodes for finding in _findings(node, target, mode, id(node) in welcome))


def check(graph: Graph, target: Target, mode: str, thing: object, float_layers: Collection[str] = ()) -> None:
    """Refuse a graph that breaks a rule.

    Args:
        graph: as :func:`deseptr.tflite.graph.read_graph` returns it.
        target: the target to run it.
        mode: mode of the conversion.
        thing: subject of the error message.
        float_layers: names of layers that were requested to stay in float.

    Raises:
        ConversionError: names the operations that break the first broken rule, with their layers, and the number of
            violations of other rules.
    """
    findings = lint(graph, target, mode, float_layers)
    if findings:
        raise refused(findings, target, mode, thing)


def refused(
    findings: Sequence[LintFinding],
    target: Target,
    mode: str,
    thing: object,
    *,
    layer_of: Callable[[str], str] = str,
    next_step: str = "lower these layers",
) -> ConversionError:
    """The error for broken rules: the operations that break the first one, and how many break others.

    Args:
        findings: as :func:`lint` returns them, at least one.
        target: the target to run the graph.
        mode: mode of the conversion.
        thing: subject of the error message.
        layer_of: the name of an operation's layer for the message.
        next_step: what to do about it.
    """
    rules = Counter(finding.rule for finding in findings)
    first, *others = sorted(rules, key=_ORDER.index)
    # DEQUANTIZE and QUANTIZE are caused by the operation between them, which has the name of a layer.
    broken = sorted((f for f in findings if f.rule == first), key=lambda f: f.op in _CONVERSIONS)
    listed = ", ".join(f"{finding.op} ({layer_of(finding.layer)}: {finding.found})" for finding in broken[:_LISTED])
    more = f" and {len(broken) - _LISTED} more" if len(broken) > _LISTED else ""
    also = f"; also {', '.join(f'{rule} {rules[rule]}' for rule in others)}" if others else ""
    return ConversionError(
        thing,
        found=f"{first}: {listed}{more}{also}",
        expected=f"{broken[0].expected} ({mode}, target {target.name})",
        next_step=next_step,
    )


def _boundary(graph: Graph) -> set[int]:
    """Ids of the nodes after a float input and before a float output, one each."""
    inputs = set(graph.inputs)
    first: dict[int, Node] = {}
    for node in graph.nodes[:1]:
        if node.op == "MUL" and node.inputs[0] in inputs:
            first[node.inputs[0].index] = node
            inputs.add(node.outputs[0])
    for node in graph.nodes:
        if node.op == "QUANTIZE" and node.inputs[0] in inputs:
            first.setdefault(node.inputs[0].index, node)
        if node.op == "DEQUANTIZE" and node.outputs[0] in graph.outputs:
            first.setdefault(node.outputs[0].index, node)
    return {id(node) for node in first.values()}


def _stand_ins(graph: Graph, target: Target, mode: str, float_layers: Collection[str]) -> set[int]:
    """Ids of the nodes in float by request or for lack of a 16-bit kernel, and of the casts around them."""
    lacking = target.lacks.get("INT16", frozenset()) if mode == "int16x8" else frozenset()
    kept = {*float_layers, *_before_output(graph, float_layers)}
    found = {id(node): node for node in graph.nodes if node.op in lacking or node.name in kept}
    tensors = {tensor for node in found.values() for tensor in (*node.inputs, *node.outputs)}
    casts = (node for node in graph.nodes if node.op in _CONVERSIONS)
    return {*found, *(id(node) for node in casts if {*node.inputs, *node.outputs} & tensors)}


def _before_output(graph: Graph, float_layers: Collection[str]) -> Iterator[str]:
    """Names of requested layers whose own name went to the QUANTIZE between them and the graph's output."""
    for node in graph.nodes:
        if node.op == "QUANTIZE" and node.name in float_layers and node.outputs[0] in graph.outputs:
            yield from (
                writer.name for writer in graph.nodes if node.inputs[0].index in {t.index for t in writer.outputs}
            )


def _findings(node: Node, target: Target, mode: str, float_allowed: bool) -> Iterator[LintFinding]:
    for rule, test in _ALONE.items():
        if broken := test(node):
            yield _finding(rule, node, *broken)
            return
    yield from (_finding(rule, node, *found) for rule, found in _of_kernel(node, target))
    yield from (_finding(rule, node, *found) for rule, found in _of_types(node, target, mode, float_allowed))


def _finding(rule: str, node: Node, found: str, expected: str) -> LintFinding:
    return LintFinding(rule, node.op, node.name.split(";")[0], found, expected)


def _flex(node: Node) -> tuple[str, str] | None:
    return ("a TensorFlow kernel", "built-in operations") if node.is_flex else None


def _custom(node: Node) -> tuple[str, str] | None:
    return None if _BUILTIN.fullmatch(node.op) else ("a custom kernel", "built-in operations")


def _complex(node: Node) -> tuple[str, str] | None:
    if node.op in _COMPLEX_OPS or node.types & _COMPLEX_TYPES:
        return "complex numbers", "a DFT as a convolution"
    return None


def _subgraph(node: Node) -> tuple[str, str] | None:
    return ("a subgraph, not checked", "one graph, unrolled") if node.op in _SUBGRAPH_OPS else None


# A node that breaks one of these is not checked for other rules, and cannot be calibrated.
_ALONE: dict[str, Callable[[Node], tuple[str, str] | None]] = {
    "flex ops": _flex,
    "custom ops": _custom,
    "complex numbers": _complex,
    "control flow": _subgraph,
}
UNCALIBRATED = tuple(_ALONE)
_ORDER = (
    *_ALONE,
    "float islands",
    "element types",
    "dynamic shapes",
    "ops the target lacks",
    "op versions",
    "types a kernel lacks",
    "ranks",
    "per-channel dense weights",
)

_Broken = Iterator[tuple[str, tuple[str, str]]]


def _of_kernel(node: Node, target: Target) -> _Broken:
    known = target.ops.get(node.op)
    if known is None:
        yield "ops the target lacks", ("no kernel", f"operations of {target.name}")
    elif node.version > known:
        yield "op versions", (f"version {node.version}", f"version {known} at most")
    if any(tensor.is_dynamic for tensor in (*node.inputs, *node.outputs)):
        yield "dynamic shapes", ("a size known only at run time", "static shapes")
    if node.rank > target.max_rank:
        yield "ranks", (f"rank {node.rank}", f"rank {target.max_rank} at most")
    if not target.per_channel_dense and _is_per_channel_dense(node):
        scales = max(weight.scales.size for weight in node.weights)
        yield "per-channel dense weights", (f"{scales} scales", "one scale, or a 1×1 CONV_2D")


def _of_types(node: Node, target: Target, mode: str, float_allowed: bool) -> _Broken:
    allowed = target.types[mode]
    unexpected = node.types - allowed - ({"FLOAT32"} if float_allowed else set())
    for name in sorted(unexpected):
        island = mode in QUANTISED_MODES and name in _FLOATS
        yield "float islands" if island else "element types", (name, f"{' or '.join(sorted(allowed))} throughout")
    for name in sorted(node.types & allowed):
        if node.op in target.lacks.get(name, ()):
            yield "types a kernel lacks", (name, f"a kernel for {name}")


def _is_per_channel_dense(node: Node) -> bool:
    return node.op == "FULLY_CONNECTED" and any(weight.scales.size > 1 for weight in node.weights)
