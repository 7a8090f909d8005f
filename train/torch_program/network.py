"""A program of PyTorch as a Keras model, operation by operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deseptr.contract import ModelError

from . import axes, elementwise, norms, pooling, products, recurrent
from .archive import read_program
from .held import Held
from .program import Name, Node, Program
from .site import Site

OPERATIONS: dict[str, Callable[..., Any]] = {
    **axes.OPERATIONS,
    **elementwise.OPERATIONS,
    **norms.OPERATIONS,
    **pooling.OPERATIONS,
    **products.OPERATIONS,
    **recurrent.OPERATIONS,
}
# Checks of what the fixed shapes and types hold anyway.
_CHECKS = ("_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range_for_size")
_TOLERANCE = 1e-3


def load_torch_program(path: Path) -> keras.Model:
    """A program of ``torch.export.save`` as a Keras model of one window, its layers named like the network's modules.

    If the file has ``extra/check.json``, windows and the network's logits for them, the model is compared with these.

    Args:
        path: the ``.pt2`` file.

    Raises:
        ModelError: if it is unreadable, has an operation that cannot be rewritten, or does not give the file's logits.
    """
    program = read_program(path)
    try:
        model = keras_model(program)
    except ModelError as error:
        raise ModelError(
            f"{path}: {error.thing}", found=error.found, expected=error.expected, next_step=error.next_step
        ) from error
    _check_example(model, program, path)
    return model


def keras_model(program: Program) -> keras.Model:
    """The Keras model of a program.

    Raises:
        ModelError: names the module whose operation cannot be rewritten.
    """
    window = keras.Input(batch_shape=program.shape)
    values: dict[str, Any] = {name: Held.of(array) for name, array in program.constants.items()}
    values[program.window] = Held.of(window)
    used: set[str] = set()
    renamed = {id(window._keras_history.operation)}
    for node in program.nodes:
        if node.operation in _CHECKS:
            continue
        results = _results(node, values, used)
        _keep(node, results, values)
        _rename(node, results, used, renamed)
    logits = values.get(program.logits)
    if not isinstance(logits, Held) or logits.constant:
        found = "a value that nothing computes" if logits is None else "a constant"
        raise ModelError("the output", found=found, expected="logits of the window", next_step="export the network")
    return keras.Model(window, logits.plain())


def _results(node: Node, values: dict[str, Any], used: set[str]) -> list[Any]:
    site = Site(node.layer, node.operation, used)
    operation = OPERATIONS.get(node.operation)
    if operation is None:
        raise ModelError(
            node.layer,
            found=f"operation {node.operation}, for which there is no rewriting",
            expected="operations of the list in docs/converting.md",
            next_step="write it with those, and export without run_decompositions()",
        )
    missing = [name for given in node.arguments.values() for name in _names(given) if name not in values]
    if missing:
        raise ModelError(
            node.layer,
            found=f"a value {missing[0]!r} that nothing computes",
            expected="a whole program",
            next_step="export the network again",
        )
    arguments = {
        "x" if name in ("self", "input") else name: _value(given, values) for name, given in node.arguments.items()
    }
    try:
        inspect.signature(operation).bind(site, **arguments)
    except TypeError as error:
        raise site.refuse(f"other arguments ({error})", "the operation with its plain arguments") from error
    try:
        results = operation(site, **arguments)
    except (
        ValueError,
        TypeError,
        NotImplementedError,
        AttributeError,
    ) as error:  # of Keras, or of a value that is no tensor
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise site.refuse(f"what Keras does not take ({reason[:160]})", "another operation") from error
    return list(results) if isinstance(results, (list, tuple)) else [results]


def _names(given: Any) -> list[Name]:
    parts = given if isinstance(given, list) else [given]
    return [part for part in parts if isinstance(part, Name)]


def _value(given: Any, values: dict[str, Any]) -> Any:
    if isinstance(given, Name):
        return values[given]
    return [_value(part, values) for part in given] if isinstance(given, list) else given


def _keep(node: Node, results: list[Any], values: dict[str, Any]) -> None:
    if len(node.outputs) == 1 and isinstance(node.outputs[0], tuple):
        values.update(zip(node.outputs[0], results, strict=True))
    else:
        values.update(zip((str(name) for name in node.outputs), results, strict=True))


def _rename(node: Node, results: Iterable[Any], used: set[str], renamed: set[int]) -> None:
    """Give the operations of a result names of their module; Keras' own could be those of a user's layers."""
    open_ends = [result.tensor for result in results if isinstance(result, Held) and not result.constant]
    while open_ends:
        history = open_ends.pop()._keras_history
        operation = history.operation
        if id(operation) in renamed:
            continue
        renamed.add(id(operation))
        if not isinstance(operation, keras.layers.Layer):
            operation.name = Site(node.layer, node.operation, used).name(type(operation).__name__.lower())
        open_ends += operation._inbound_nodes[history.node_index].input_tensors


def _check_example(model: keras.Model, program: Program, path: Path) -> None:
    if program.example is None:
        return
    windows, expected = program.example
    if windows.shape[1:] != program.shape[1:] or expected.shape != (len(windows), model.output_shape[-1]):
        raise ModelError(
            f"{path}: check.json",
            found=f"windows {list(windows.shape)} and logits {list(expected.shape)}",
            expected=f"[n, {', '.join(map(str, program.shape[1:]))}] and [n, {model.output_shape[-1]}]",
            next_step="save it as examples/export_pytorch.py does",
        )
    found = np.concatenate([np.asarray(model(window[None])) for window in windows])
    error = float(np.abs(found - expected).max())
    if not error <= _TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise ModelError(
            path,
            found=f"a rewriting whose logits differ from PyTorch's by {error:.3g}",
            expected="the logits in its check.json",
            next_step="make check.json of the exported network, in eval(); if it is, report this with the .pt2 file",
        )
