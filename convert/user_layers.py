"""The layers of a Keras model behind the operations of its graph."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from deseptr.contract import ConversionError
from deseptr.tflite.graph import Graph

from .lint import UNCALIBRATED, LintFinding, lint, refused
from .lowering.keras_layers.refused import OPERATIONS
from .targets import Target


def user_layer(operation: str, layers: Mapping[str, str]) -> str:
    """The layer of a model that an operation comes from, as ``layer 'gru_1' (GRU)``.

    Args:
        operation: name of the operation in the flatbuffer, as ``encoder/gru_1/add_3;encoder/gru_1/Conv2D``.
        layers: class of each layer of the model by its name, in order; empty for a network of this package, whose
            operations keep their names.
    """
    first = operation.split(";")[0]
    # The converter calls the last operation after the function.
    found = [list(layers)[-1]] if layers and first.startswith(("PartitionedCall", "StatefulPartitionedCall")) else []
    found = found or [part for part in first.split("/") if part in layers]
    return f"layer {found[-1]!r} ({layers[found[-1]]})" if found else first


def layers_by_name(layers: Sequence[Any]) -> dict[str, str]:
    """Class of each Keras layer by the name that TensorFlow gives its operations."""
    return {re.sub(r"[^A-Za-z0-9_.-]", "_", layer.name): type(layer).__name__ for layer in layers}


def check_operations(
    graph: Graph,
    reference: Graph,
    target: Target,
    mode: str,
    thing: object,
    *,
    float_layers: Collection[str] = (),
    layers: Mapping[str, str] | None = None,
) -> None:
    """Refuse a graph that breaks a rule of target or mode.

    Args:
        graph: the converted graph.
        reference: the network in float.
        target: the target to run it.
        mode: mode of the conversion.
        thing: subject of the error message.
        float_layers: names of layers that were requested to stay in float.
        layers: as in :func:`user_layer`.

    Raises:
        ConversionError: names the operations, the user's layers that they come from, and a way out.
    """
    findings = lint(graph, target, mode, float_layers)
    if error := refused_operations(findings, reference, target, mode, thing, layers or {}):
        raise error


def check_structure(reference: Graph, target: Target, mode: str, thing: object, layers: Mapping[str, str]) -> None:
    """Refuse a network with loops or TensorFlow's own kernels before it is calibrated, of which the calibrator dies.

    Raises:
        ConversionError: as above.
    """
    findings = [finding for finding in lint(reference, target, "float32") if finding.rule in UNCALIBRATED]
    if error := refused_operations(findings, reference, target, mode, thing, layers):
        raise error


def refused_operations(
    findings: Sequence[LintFinding],
    reference: Graph,
    target: Target,
    mode: str,
    thing: object,
    layers: Mapping[str, str],
) -> ConversionError | None:
    """The error for what the lint found, with the user's layers and a way out; None if it found nothing."""
    if not findings:
        return None
    return refused(
        findings,
        target,
        mode,
        thing,
        layer_of=lambda operation: user_layer(operation, layers),
        next_step=way_out(findings, reference, target, layers),
    )


def way_out(findings: Sequence[LintFinding], reference: Graph, target: Target, layers: Mapping[str, str]) -> str:
    """What to do about operations that a mode does not have: another layer, or a mode that would work.

    Args:
        findings: of the lint.
        reference: the network in float.
        target: that lacks the operations.
        layers: as above.
    """
    known = [OPERATIONS[finding.op].instead for finding in findings if finding.op in OPERATIONS]
    steps = [f"write instead: {known[0]}"] if known else []
    if "float32" in target.modes and not lint(reference, target, "float32"):
        steps.append("convert with --mode float32")
    return "; or ".join(steps) or ("write other layers instead" if layers else "lower these layers")
