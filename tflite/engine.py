"""Engines: a window in, logits out.

The runtimes ``ai_edge_litert`` and ``tflite_runtime`` have the same Python interface, so one class serves both. They
are imported only when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, ModelContract, ModelError
from deseptr.contract.counts import counted

from .edgetpu import edgetpu_delegate, is_compiled
from .file import TfliteFile, read_tflite
from .graph_input import GraphInput, GraphTensor, graph_input
from .graph_outputs import expected_outputs, output_places
from .loading import graph_errors
from .runtimes import TfliteRuntime, check_threads, choose_runtime

EDGETPU = "edgetpu"
_USE_EDGETPU = "it was compiled for an Edge TPU: use --engine edgetpu, or the model from before the compilation"
# Tolerance of a scale that a converter computed in float32.
_SCALE_TOLERANCE = 1e-5
CONVERT_AGAIN = "convert its checkpoint again with `deseptr convert RUN`"


class Engine(Protocol):
    """Classifies windows as described by a contract."""

    @property
    def name(self) -> str:
        """Name and version of the runtime, for reports."""
        ...

    @property
    def threads(self) -> int:
        """Threads that it may use."""
        ...

    @property
    def contract(self) -> ModelContract:
        """The model's contract."""
        ...

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 ``[classes]`` of a window float32 ``[input_length, channels]`` in SI units.

        With views in the contract, the first ``history`` samples are those before the window; with a temperature, the
        logits are divided by it.
        """
        ...

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Embedding float32 ``[embedding_width]`` of the window before; None if the model has none.

        It is valid until the next call of :meth:`invoke`.
        """
        ...


class TfliteEngine:
    """A ``.tflite`` model on a TFLite runtime.

    A quantised input gets ``window / contract.input_range``, rounded half to even and saturated; a float32 input gets
    the window itself. With views in the contract, the graph gets those: in int8, or in float32 divided by 127.5.
    Quantised logits are returned as real numbers, and all are divided by the contract's ``logit_temperature``. All
    buffers are allocated once.

    Args:
        model: content and contract of the file.
        runtime: the runtime to use.
        threads: threads that it may use, at most 256.
        kernels: the runtime's ``default`` kernels, or the ``reference`` kernels, which are slow and give the same bits
            on every machine.
        delegate: an Edge TPU, for the operations that were compiled for it.
        warm_up: whether to run the model once on construction; otherwise the first inference is slow, and a graph that
            cannot run fails only then.

    Raises:
        ModelError: if the graph is broken, cannot run here, or does not fit its contract.
        SetupError: if the runtime is missing or clashes with numpy, or the number of threads is not allowed.
    """

    def __init__(
        self,
        model: TfliteFile,
        runtime: TfliteRuntime,
        threads: int = 1,
        *,
        kernels: str = "default",
        delegate: Any = None,
        warm_up: bool = True,
    ) -> None:
        check_threads(threads)
        self.model, self.runtime, self.kernels, self.delegate = model, runtime, kernels, delegate
        self.contract = model.contract
        self.threads = threads
        self.name = engine_name(runtime, kernels)
        if delegate is not None:
            self.name += ", Edge TPU"
        self._compiled = is_compiled(model.content)
        self._interpreter = self._load(runtime.interpreter(kernels, delegate), model.content)
        self._input, self._output, self._embedded = self._tensors()
        self._graph_input = self._choose_input()
        self._logits = np.zeros(len(self.contract.labels), np.float32)
        self._input_view = self._interpreter.tensor(self._input.index)
        self._output_view = self._interpreter.tensor(self._output.index)
        self._embedding = np.zeros(self.contract.embedding_width, np.float32)
        if warm_up:
            self._warm_up()

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 ``[classes]`` of a window float32 ``[input_length, channels]`` in SI units.

        With views in the contract, the first ``history`` samples are those before the window. The result is valid until
        the next call.
        """
        values = self.graph_input(window)
        # The tensor's views must not outlive their statement: the runtime refuses to run while one exists.
        np.copyto(self._input_view()[0], values, casting="unsafe")
        self._interpreter.invoke()
        np.copyto(self._logits, self._output_view()[0])
        self._output.to_real(self._logits, self.contract.logit_temperature)
        return self._logits

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Embedding float32 ``[embedding_width]`` of the window before; None if the model has none.

        It is valid until the next call of :meth:`invoke`, and computed from the graph's output when it is read.
        """
        if self._embedded is None:
            return None
        np.copyto(self._embedding, self._interpreter.tensor(self._embedded.index)()[0])
        self._embedded.to_real(self._embedding)
        return self._embedding

    def graph_input(self, window: NDArray[np.float32]) -> NDArray[Any]:
        """Values ``[window_length, graph_channels]`` of the graph's input for a window; valid until the next call.

        Those of a quantised input are integers, whatever their type.
        """
        return self._graph_input.values(window)

    def _load(self, interpreter: Callable[..., Any], content: bytes) -> Any:
        with self._graph_errors():
            loaded = interpreter(model_content=content, num_threads=self.threads)
            loaded.allocate_tensors()
        return loaded

    def _warm_up(self) -> None:
        with self._graph_errors():
            self.invoke(np.zeros((self.contract.input_length, len(self.contract.channels)), np.float32))

    def _graph_errors(self) -> AbstractContextManager[None]:
        return graph_errors(self.model.path, self.name, _USE_EDGETPU if self._compiled else CONVERT_AGAIN)

    def _tensors(self) -> tuple[GraphTensor, GraphTensor, GraphTensor | None]:
        """Input, logits and embedding."""
        contract = self.contract
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        names = [str(each["name"]) for each in outputs]
        places = output_places(names, contract)
        if len(inputs) != 1 or places is None:
            found = f"{counted(len(inputs), 'input')} and {counted(len(outputs), 'output')} ({', '.join(names)})"
            raise self._misfit("graph", found, expected_outputs(contract))
        embedding = None
        if places.embedding is not None:
            embedding = self._tensor("embedding", outputs[places.embedding], [1, contract.embedding_width])
        return (
            self._tensor("input", inputs[0], [1, contract.window_length, contract.graph_channels]),
            self._tensor("output", outputs[places.logits], [1, len(contract.labels)]),
            embedding,
        )

    def _tensor(self, end: str, detail: dict[str, Any], shape: list[int]) -> GraphTensor:
        found = [int(n) for n in detail["shape"]]
        if found != shape:
            raise self._misfit(end, f"shape {found}", f"{shape} as in its contract")
        dtype = np.dtype(detail["dtype"])
        scale, zero_point = detail["quantization"]
        if dtype != np.float32 and not (dtype in (np.int8, np.uint8, np.int16) and scale > 0):
            raise self._misfit(end, f"type {dtype} with scale {scale:g}", "float32, or int8 with a scale")
        return GraphTensor(int(detail["index"]), dtype, float(scale), int(zero_point))

    def _choose_input(self) -> GraphInput:
        tensor, exact = self._input, self._input.zero_point == 0
        exact = exact and tensor.dtype == np.int8 and abs(tensor.scale * INPUT_STEPS - 1) <= _SCALE_TOLERANCE
        if self.contract.views is not None and tensor.quantised and not exact:
            found = f"type {tensor.dtype} with scale {tensor.scale:g} and zero point {tensor.zero_point}"
            raise self._misfit("input", found, f"int8 with scale {1 / INPUT_STEPS:g} and zero point 0, those of views")
        return graph_input(self.contract, tensor)

    def _misfit(self, end: str, found: str, expected: str) -> ModelError:
        return ModelError(f"{self.model.path} {end}", found=found, expected=expected, next_step=CONVERT_AGAIN)


def engine_name(runtime: TfliteRuntime, kernels: str) -> str:
    """Name of a runtime with its kernels, for reports."""
    return runtime.version() + ("" if kernels == "default" else f", {kernels} kernels")


def load_engine(
    path: str | Path, kind: str = "auto", threads: int = 1, *, kernels: str = "default", warm_up: bool = True
) -> TfliteEngine:
    """Load a ``.tflite`` file with the contract inside it.

    Args:
        path: the model.
        kind: ``litert`` or ``tflite``; ``edgetpu``, with whichever of them is installed; or ``auto`` for the first
            installed one, with the Edge TPU if the model is compiled for it.
        threads: threads that it may use, at most 256.
        kernels: ``default`` or ``reference``.
        warm_up: whether to run it once before it is returned.

    Raises:
        ModelError: if the file is not a model, has no contract, is broken, or does not fit its contract.
        SetupError: if no runtime of that kind is installed, if it is incompatible with the installed numpy, if the
            model needs an Edge TPU that cannot be used, or if the number of threads is not allowed.

        >>> from importlib.resources import files
        >>> engine = load_engine(str(files("deseptr.device") / "models" / "deseptr_motionsense.tflite"))
        >>> engine.contract.labels
        ('downstairs', 'upstairs', 'sitting', 'standing', 'walking', 'jogging')
    """
    model = read_tflite(Path(path))
    runtime = choose_runtime("auto" if kind == EDGETPU else kind)
    # A compiled model has operations that the processor cannot run: there is no fallback.
    wanted = kind == EDGETPU or (kind == "auto" and is_compiled(model.content))
    delegate = edgetpu_delegate(model, runtime) if wanted else None
    return TfliteEngine(model, runtime, threads, kernels=kernels, delegate=delegate, warm_up=warm_up)


@dataclass(frozen=True)
class EngineAtHop:
    """An engine whose contract has another hop; see :func:`at_hop`."""

    engine: Engine
    contract: ModelContract

    @property
    def name(self) -> str:
        """That of the engine."""
        return self.engine.name

    @property
    def threads(self) -> int:
        """Those of the engine."""
        return self.engine.threads

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 ``[classes]`` of a window."""
        return self.engine.invoke(window)

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Embedding float32 ``[embedding_width]`` of the window before; None if the model has none."""
        return self.engine.embedding


def at_hop(engine: Engine, hop_s: float | None) -> Engine:
    """The engine with another time from window to window, for whatever cuts a stream by its contract.

    Args:
        engine: the model.
        hop_s: seconds; None for the engine as it is.

    Raises:
        SetupError: if it is less than a sample or more than a window.
    """
    return engine if hop_s is None else EngineAtHop(engine, engine.contract.at_hop(hop_s))


def predict(engine: Engine, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits float32 ``[n, classes]`` of windows float32 ``[n, input_length, channels]`` in SI units.

    >>> from importlib.resources import files
    >>> engine = load_engine(str(files("deseptr.device") / "models" / "deseptr_motionsense.tflite"))
    >>> predict(engine, np.zeros((2, engine.contract.input_length, 6), np.float32)).shape
    (2, 6)
    """
    logits = np.empty((len(windows), len(engine.contract.labels)), np.float32)
    for row, window in zip(logits, windows, strict=True):
        row[:] = engine.invoke(window)
    return logits


def predict_with_embeddings(
    engine: Engine, windows: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits float32 ``[n, classes]`` and embeddings float32 ``[n, embedding_width]`` of windows as :func:`predict`.

    The embeddings of a model without are of width 0.
    """
    logits = np.empty((len(windows), len(engine.contract.labels)), np.float32)
    embeddings = np.empty((len(windows), engine.contract.embedding_width), np.float32)
    for number, window in enumerate(windows):
        logits[number] = engine.invoke(window)
        if (embedding := engine.embedding) is not None:
            embeddings[number] = embedding
    return logits, embeddings
