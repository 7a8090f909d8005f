"""TensorFlow Lite Micro on this machine: its outputs for a graph, and the size of the arena that it needs.

The package ``tflite-micro`` has the reference kernels of the interpreter for microcontrollers. They run in a separate
process because an arena that is too small may cause a segmentation fault.
"""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ConversionError, SetupError
from deseptr.convert.isolated import WorkerDiedError, run_isolated
from deseptr.tflite.graph import Graph, Node, Tensor, read_graph

ALIGNMENT = 16
ROOMY = 1 << 24


@dataclass(frozen=True)
class Arena:
    """The working memory of a graph, measured on a 64-bit machine with the reference kernels.

    A 32-bit core needs less, since half of the interpreter's data are pointers; optimised kernels (CMSIS-NN, ESP-NN)
    need additional scratch memory. ``interpreter.arena_used_bytes()`` gives the exact size on the microcontroller.

    Args:
        bytes: smallest arena that allocates and runs, a multiple of 16.
        head: part for activations and scratch, which share their memory; None if the package does not report it.
        tail: part for permanent data: structures of the interpreter and per-channel multipliers of its kernels.
        kinds: bytes of the tail by the interpreter's own names.
    """

    bytes: int
    head: int | None = None
    tail: int | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Peak:
    """The operation during which the most activations are alive; it determines the arena's head.

    Args:
        node: the operation.
        tensors: tensors alive while it runs, the largest first.
        bytes: their sum, without alignment and scratch.
    """

    node: Node
    tensors: tuple[Tensor, ...]
    bytes: int


def run_micro(flatbuffer: bytes, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """Logits int8 ``[n, classes]`` of TensorFlow Lite Micro for inputs int8 ``[n, window_length, channels]``.

    Args:
        flatbuffer: one that :func:`read_graph` reads, with or without an archive behind it.
        inputs: as quantised as the graph's input says.

    Raises:
        ConversionError: if its kernels cannot run the graph.
        SetupError: if the package ``tflite-micro`` is missing.
    """
    return run_micro_outputs(flatbuffer, inputs)[0]


def run_micro_outputs(flatbuffer: bytes, inputs: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
    """Logits int8 ``[n, classes]`` as :func:`run_micro`, and of a graph with them the embeddings, ``[n, width]``."""
    outputs: tuple[NDArray[np.int8], ...] = run_in_own_process(f"{__name__}:run_here", flatbuffer, inputs)
    return outputs


def measure_arena(flatbuffer: bytes) -> Arena:
    """Smallest arena in which the graph runs, found by bisection.

    Raises:
        ConversionError: if its kernels cannot run the graph in 16 MB.
        SetupError: if the package ``tflite-micro`` is missing.
    """
    arena: Arena = run_in_own_process(f"{__name__}:measure_here", flatbuffer)
    return arena


def peak_activations(graph: Graph) -> Peak:
    """The peak of a graph's activations, each alive from the operation that writes it to the last that reads it."""
    last_use = {t.index: step for step, node in enumerate(graph.nodes) for t in node.activations}
    last_use |= {t.index: len(graph.nodes) for t in graph.outputs}
    alive: dict[int, Tensor] = {t.index: t for t in graph.inputs}
    peaks = []
    for step, node in enumerate(graph.nodes):
        alive |= {t.index: t for t in node.outputs}
        tensors = sorted(alive.values(), key=_size, reverse=True)
        peaks.append(Peak(node, tuple(tensors), sum(map(_size, tensors))))
        alive = {index: t for index, t in alive.items() if last_use[index] > step}
    return max(peaks, key=lambda peak: peak.bytes)


def _size(tensor: Tensor) -> int:
    return tensor.elements * np.dtype(tensor.type.lower()).itemsize


def run_in_own_process(function: str, *arguments: Any) -> Any:
    """Call a function that uses the interpreter in a process that may crash without taking this one along.

    Args:
        function: its importable name, ``module:function``.
        arguments: picklable.

    Raises:
        ConversionError: if the process dies.
        SetupError: if the package ``tflite-micro`` is missing.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        raise SetupError(
            "tflite-micro",
            found="not installed",
            expected="the interpreter for microcontrollers, which has wheels for Linux on x86-64",
            next_step="`pip install 'deseptr[micro]'`",
        )
    try:
        return run_isolated(function, *arguments)
    except WorkerDiedError as error:
        raise _refused(f"an interpreter that {error.reason}") from error


def _refused(found: str) -> ConversionError:
    return ConversionError(
        "TensorFlow Lite Micro",
        found=found,
        expected="a graph that its kernels run",
        next_step="lower the layers named, or convert without --target micro",
    )


def run_here(flatbuffer: bytes, inputs: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
    """Do the work of :func:`run_micro_outputs` in this process, which a crash would end."""
    graph = read_graph(flatbuffer)
    ends = [graph.outputs.index(end) for end in (graph.logits, graph.embedding) if end is not None]
    with stderr_in_errors():
        interpreter = open_interpreter(flatbuffer, ROOMY)
        shapes = [interpreter.get_output_details(end)["shape"][1:] for end in ends]
        outputs = tuple(np.empty((len(inputs), *shape), np.int8) for shape in shapes)
        for number, window in enumerate(inputs):
            interpreter.set_input(window[None], 0)
            interpreter.invoke()
            for end, rows in zip(ends, outputs, strict=True):
                rows[number] = interpreter.get_output(end)[0]
    return outputs


def measure_here(flatbuffer: bytes) -> Arena:
    """Do the work of :func:`measure_arena` in this process, which a crash would end; it turns core dumps off."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with stderr_in_errors() as printed:
        interpreter = open_interpreter(flatbuffer, ROOMY)
        interpreter.invoke()
        interpreter.print_allocations()
        report = printed()
        small, large = 0, ROOMY // ALIGNMENT
        while large - small > 1:
            middle = (small + large) // 2
            if _fits(flatbuffer, middle * ALIGNMENT):
                large = middle
            else:
                small = middle
    return Arena(large * ALIGNMENT, **parse_allocations(report))


def _fits(flatbuffer: bytes, size: int) -> bool:
    """Whether a forked child process survives an inference in an arena of ``size`` bytes."""
    child = os.fork()
    if child == 0:
        try:
            open_interpreter(flatbuffer, size).invoke()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def open_interpreter(flatbuffer: bytes, arena: int) -> Any:
    """The interpreter of a graph in an arena of so many bytes, in this process, which a crash would end."""
    from tflite_micro import runtime

    return runtime.Interpreter.from_bytes(flatbuffer, arena_size=arena)


def parse_allocations(report: str) -> dict[str, Any]:
    """Fields ``head``, ``tail`` and ``kinds`` of :class:`Arena` from what the interpreter prints of its allocations."""
    areas = {name: int(size) for name, size in re.findall(r"Arena allocation (head|tail) (\d+) bytes", report)}
    return areas | {"kinds": {name: int(size) for name, size in re.findall(r"'(.+?)' used (\d+) bytes", report)}}


@contextmanager
def stderr_in_errors() -> Iterator[Callable[[], str]]:
    """Capture the output of the C++ library and quote it in the ConversionError of a RuntimeError.

    Yields:
        a function that returns the output so far.
    """
    with tempfile.TemporaryFile() as held:

        def printed() -> str:
            held.seek(0)
            return held.read().decode(errors="replace")

        os.dup2(held.fileno(), 2)
        try:
            yield printed
        except RuntimeError as error:
            raise _refused("; ".join(printed().splitlines())[:240] or str(error)) from error
