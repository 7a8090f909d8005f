"""Which part of a graph a Coral Edge TPU can run: estimated from the documented list, or reported by its compiler.

The compiler maps the operations of a graph up to the first unsupported one and leaves all others to the CPU ("More than
one subgraph is not supported"). Only its report is authoritative: :func:`edgetpu_share` is an estimate.

Sources: coral.ai/docs/edgetpu/models-intro (model requirements, supported operations), coral.ai/docs/edgetpu/compiler.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import takewhile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import ConversionError, scratch_folder
from deseptr.tflite.graph import Graph, Node, Tensor

from .targets import TARGETS

COMPILER = "edgetpu_compiler"
NO_COMPILER = (
    f"nothing was compiled: {COMPILER} is not on the PATH; it is the package edgetpu-compiler of Coral's Debian "
    "repository (coral.ai/docs/edgetpu/compiler), for x86-64 Linux only"
)
TIMEOUT = 300.0
MAPPED = "Mapped to Edge TPU"

_TYPES = {"INT8", "UINT8"}
_REDUCTIONS = {"MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"}
_SOFTMAX_SIZE = 16_000
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_ROW = re.compile(r"^(?P<op>[A-Za-z0-9_-]+)\s+(?P<count>[0-9]{1,9})\s+(?P<status>\S.*?)\s*$", re.MULTILINE)


def edgetpu_share(graph: Graph) -> dict[str, Any]:
    """Estimate which part of a graph the Edge TPU supports, in total and before the first unsupported operation.

    The estimate follows the order of execution. Nothing is compiled, and the compiler may reject more.

    Returns:
        ``compiled`` (False); totals ``nodes`` and ``macs``; ``listed_…`` for operations on the list; ``leading_…`` for
        those before the first that is not on it; ``…_share``: their fraction of the MACs; ``first_unlisted`` with its
        reason, or None; ``unlisted``: the number of each unlisted operation.
    """
    reasons = [(node, _refusal(node)) for node in graph.nodes]
    listed = [node for node, reason in reasons if reason is None]
    leading = [node for node, _ in takewhile(lambda pair: pair[1] is None, reasons)]
    first = next(((node, reason) for node, reason in reasons if reason is not None), None)
    return {
        "compiled": False,
        "nodes": len(graph.nodes),
        "listed_nodes": len(listed),
        "leading_nodes": len(leading),
        "macs": graph.macs,
        "listed_macs": _macs(listed),
        "leading_macs": _macs(leading),
        "listed_share": _macs(listed) / max(graph.macs, 1),
        "leading_share": _macs(leading) / max(graph.macs, 1),
        "first_unlisted": first and {"op": first[0].op, "layer": first[0].name.split(";")[0], "reason": first[1]},
        "unlisted": dict(Counter(node.op for node, reason in reasons if reason is not None).most_common()),
    }


@dataclass(frozen=True)
class OperatorStatus:
    """One row of the compiler's table.

    Args:
        op: the operation.
        count: number of such operations.
        status: where they run, and why.
    """

    op: str
    count: int
    status: str


@dataclass(frozen=True)
class EdgeTpuReport:
    """Report of the Edge TPU compiler on a compiled model.

    Args:
        version: version of the compiler.
        subgraphs: number of subgraphs on the Edge TPU.
        on_chip: bytes of its memory that hold parameters.
        on_chip_left: bytes of its memory that are free.
        off_chip: bytes of parameters that are fetched at every inference.
        table: operations and where they run.
    """

    version: str
    subgraphs: int
    on_chip: int
    on_chip_left: int
    off_chip: int
    table: tuple[OperatorStatus, ...]

    @property
    def mapped(self) -> int:
        """Number of operations on the Edge TPU."""
        return sum(row.count for row in self.table if row.status == MAPPED)

    @property
    def operations(self) -> int:
        """Number of operations."""
        return sum(row.count for row in self.table)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "compiled": True,
            "compiler": self.version,
            "subgraphs": self.subgraphs,
            "on_chip_bytes": self.on_chip,
            "on_chip_left_bytes": self.on_chip_left,
            "off_chip_bytes": self.off_chip,
            "operations": self.operations,
            "mapped": self.mapped,
            "table": [asdict(row) for row in self.table],
        }


def compile_for_edgetpu(path: Path, timeout: float = TIMEOUT) -> EdgeTpuReport | None:
    """Compile an int8 ``.tflite`` and return the compiler's report; the compiled model is discarded.

    Args:
        path: the model.
        timeout: seconds.

    Returns:
        The report, or None if the compiler is not installed; :data:`NO_COMPILER` is the message for that case.

    Raises:
        ConversionError: if the compiler rejects the model, exceeds the timeout or prints an unknown report.
    """
    compiler = shutil.which(COMPILER)
    if compiler is None:
        return None
    with scratch_folder() as folder:
        try:
            done = subprocess.run(
                [compiler, "-s", "-o", folder, str(path.absolute())],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(path, f"nothing after {timeout:g} s") from error
        except OSError as error:
            raise _failed(path, error.strerror or str(error)) from error
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines()
        raise _failed(path, said[-1] if said else f"exit code {done.returncode}")
    return parse_report(done.stdout, path)


def parse_report(text: str, thing: object = COMPILER) -> EdgeTpuReport:
    """Parse the output of ``edgetpu_compiler --show_operations``.

    Args:
        text: the standard output.
        thing: subject of error messages.

    Raises:
        ConversionError: if the text does not have the documented form, as after a failed compilation.
    """
    heading = re.search(r"^Operator\s+Count\s+Status", text, re.MULTILINE)
    version = re.search(r"Edge TPU Compiler version (\S+)", text)
    subgraphs = re.search(r"Number of Edge TPU subgraphs: ([0-9]{1,9})\b", text)
    if not (heading and version and subgraphs):
        last = (text.strip().splitlines() or ["no output"])[-1]
        raise _failed(thing, last)
    rows = _ROW.finditer(text, heading.end())
    return EdgeTpuReport(
        version=version[1],
        subgraphs=int(subgraphs[1]),
        on_chip=_bytes(text, "On-chip memory used for caching model parameters"),
        on_chip_left=_bytes(text, "On-chip memory remaining for caching model parameters"),
        off_chip=_bytes(text, "Off-chip memory used for streaming uncached model parameters"),
        table=tuple(OperatorStatus(row["op"], int(row["count"]), row["status"]) for row in rows),
    )


def _bytes(text: str, label: str) -> int:
    """A size such as ``6.86MiB``; 0 if it is absent."""
    size = re.search(rf"{label}: ([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?)(B|KiB|MiB|GiB)", text)
    return round(float(size[1]) * _UNITS[size[2]]) if size else 0


def _failed(thing: object, found: str) -> ConversionError:
    return ConversionError(
        thing,
        found=f"{COMPILER}: {found}",
        expected="a model compiled for the Edge TPU",
        next_step=f"run `{COMPILER} -s` on an int8 model by hand to see its full output",
    )


def _macs(nodes: Iterable[Node]) -> int:
    return sum(node.macs for node in nodes)


def _refusal(node: Node) -> str | None:
    """Why the documentation excludes an operation from the Edge TPU, or None."""
    if node.op not in TARGETS["coral"].accelerated:
        return "not on the list"
    if not node.types <= _TYPES:
        return f"activations of {', '.join(sorted(node.types - _TYPES))}"
    if any(tensor.is_dynamic for tensor in node.activations):
        return "a dynamic shape"
    if any(prod(tensor.shape[:-3]) > 1 for tensor in node.activations):
        return "more than three dimensions above 1"
    return _limit(node)


def _limit(node: Node) -> str | None:
    """The documented limitation of an operation that this node violates, as far as the graph shows it."""
    shape = node.inputs[0].shape
    if node.op == "SOFTMAX" and (prod(shape[:-1]) > 1 or shape[-1] > _SOFTMAX_SIZE):
        return f"softmax of more than one row of {_SOFTMAX_SIZE:,}"
    if node.op == "STRIDED_SLICE" and set(_values(node.inputs[3])) != {1}:
        return "strides other than 1"
    if node.op in _REDUCTIONS:
        axes = {axis % len(shape) for axis in _values(node.inputs[1])}
        if 0 in axes and len(shape) > 1:
            return "reduction over the batch"
        if node.op == "MEAN" and len(shape) - 1 in axes and shape[-1] % 4:
            return "mean over channels that are no multiple of 4"
    return None


def _values(tensor: Tensor) -> list[int]:
    return [] if tensor.constant is None else [int(value) for value in np.frombuffer(tensor.constant, np.int32)]
