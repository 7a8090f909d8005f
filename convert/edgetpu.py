"""What a Coral Edge TPU takes of a graph: estimated from the documented list, or as its compiler reports.

The compiler maps the first operations of a graph, up to one that it doesn't know, and leaves all that follow to the
CPU ("More than one subgraph is not supported"). Its own word counts: :func:`edgetpu_share` is an estimate.

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
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from deseptr.contract import ConversionError
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
_ROW = re.compile(r"^(?P<op>[A-Za-z0-9_-]+)\s+(?P<count>\d+)\s+(?P<status>\S.*?)\s*$", re.MULTILINE)


def edgetpu_share(graph: Graph) -> dict[str, Any]:
    """Which part of a graph is on the Edge TPU's list, and which part of it comes before anything that isn't.

    An estimate in order of execution: nothing is compiled, and the compiler may refuse more.

    Returns:
        ``compiled`` (False), ``nodes`` and ``macs`` in all, ``listed_…`` of what is on the list, ``leading_…`` of what
        comes before the first that isn't, their ``…_share`` of the MACs, ``first_unlisted`` with its reason, or None,
        and ``unlisted``: how often each of the rest occurs.
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
    """One line of the compiler's table.

    Args:
        op: the operation.
        count: how many of it.
        status: what became of them.
    """

    op: str
    count: int
    status: str


@dataclass(frozen=True)
class EdgeTpuReport:
    """What the Edge TPU compiler says of a model that it compiled.

    Args:
        version: of the compiler.
        subgraphs: how many parts run on the Edge TPU.
        on_chip: bytes of its memory that hold parameters.
        on_chip_left: bytes that are left.
        off_chip: bytes of parameters fetched at every inference.
        table: operations and what became of them.
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
    """Compile an int8 ``.tflite`` and keep the compiler's report; what it compiled is thrown away.

    Args:
        path: the model.
        timeout: seconds.

    Returns:
        The report, or None without a compiler: then :data:`NO_COMPILER` is what to tell.

    Raises:
        ConversionError: if the compiler refuses the model, takes too long or says what can't be read.
    """
    compiler = shutil.which(COMPILER)
    if compiler is None:
        return None
    with TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [compiler, "-s", "-o", folder, str(path.absolute())],
                capture_output=True,
                text=True,
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
    """Read what ``edgetpu_compiler --show_operations`` prints.

    Args:
        text: its standard output.
        thing: what an error message is about.

    Raises:
        ConversionError: if it isn't of the documented form, as after a compilation that failed.
    """
    heading = re.search(r"^Operator\s+Count\s+Status", text, re.MULTILINE)
    version = re.search(r"Edge TPU Compiler version (\S+)", text)
    subgraphs = re.search(r"Number of Edge TPU subgraphs: (\d+)", text)
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
    """A size such as ``6.86MiB``; 0 where it isn't said."""
    size = re.search(rf"{label}: ([\d.]+)(B|KiB|MiB|GiB)", text)
    return round(float(size[1]) * _UNITS[size[2]]) if size else 0


def _failed(thing: object, found: str) -> ConversionError:
    return ConversionError(
        thing,
        found=f"{COMPILER}: {found}",
        expected="a model compiled for the Edge TPU",
        next_step=f"run `{COMPILER} -s` on an int8 model by hand to see all that it says",
    )


def _macs(nodes: Iterable[Node]) -> int:
    return sum(node.macs for node in nodes)


def _refusal(node: Node) -> str | None:
    """Why the documentation says that the Edge TPU doesn't take it, or None."""
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
    """The known limitations of an operation, as far as the graph tells them."""
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
