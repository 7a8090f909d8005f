"""Engines: a window in, logits out.

The runtimes ``ai_edge_litert`` and ``tflite_runtime`` share one Python interface, so one class serves both. Neither is
imported before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, ModelContract, ModelError

from .edgetpu import edgetpu_delegate, is_compiled
from .file import TfliteFile, read_tflite
from .graph_input import FloatViewInput, GraphInput, PlainInput, QuantisedInput, ViewInput
from .native_stderr import native_stderr_held
from .runtimes import TfliteRuntime, choose_runtime

EDGETPU = "edgetpu"
_USE_EDGETPU = "it was compiled for an Edge TPU: use --engine edgetpu, or the model as it was before"
# Of a scale that a converter calculated in float32.
_SCALE_TOLERANCE = 1e-5
_CONVERT_AGAIN = "convert its checkpoint again with `deseptr convert RUN`"


class Engine(Protocol):
    """Something that classifies windows as its contract says."""

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
        """What the model expects and returns."""
        ...

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 ``[classes]`` of a window float32 ``[input_length, channels]`` in SI units.

        With views in the contract, the first ``history`` samples are those before the window.
        """
        ...


class TfliteEngine:
    """A ``.tflite`` model on a TFLite runtime.

    A graph with quantised input is fed ``window / contract.input_range``, rounded half to even and saturated; one with
    float32 input the window itself. With views in the contract it is fed those: in int8, or in float32 over 127.5.
    Quantised logits come back as real numbers. All buffers are made once.

    Args:
        model: the file's content and contract.
        runtime: the runtime to use.
        threads: threads that it may use.
        kernels: the runtime's ``default`` ones, or its ``reference`` ones, which are slow and give the same bits
            everywhere.
        delegate: an Edge TPU, to run the operations that were compiled for it.
        warm_up: whether to run it once at once; without, the first inference is a slow one, and a graph that cannot
            run shows only then.

    Raises:
        ModelError: if the graph is broken, cannot run here, or does not fit its contract.
        SetupError: if the runtime is missing or clashes with numpy.
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
        self.contract = model.contract
        self.threads = threads
        self.name = runtime.version() + ("" if kernels == "default" else f", {kernels} kernels")
        if delegate is not None:
            self.name += ", Edge TPU"
        self._path = model.path
        self._compiled = is_compiled(model.content)
        self._interpreter = self._load(runtime.interpreter(kernels, delegate), model.content)
        self._input, self._output = self._tensors()
        self._graph_input = self._choose_input()
        self._logits = np.zeros(len(self.contract.labels), np.float32)
        self._input_view = self._interpreter.tensor(self._input.index)
        self._output_view = self._interpreter.tensor(self._output.index)
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
        if self._output.quantised:
            self._logits -= self._output.zero_point
            self._logits *= self._output.scale
        return self._logits

    def graph_input(self, window: NDArray[np.float32]) -> NDArray[Any]:
        """Values ``[window_length, graph_channels]`` that the graph is fed for a window; valid until the next call.

        Those of a quantised input are integers, whatever type they are held in.
        """
        return self._graph_input.values(window)

    def _load(self, interpreter: Callable[..., Any], content: bytes) -> Any:
        try:
            with native_stderr_held():
                loaded = interpreter(model_content=content, num_threads=self.threads)
                loaded.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise self._unusable(error) from error
        return loaded

    def _warm_up(self) -> None:
        try:
            with native_stderr_held():
                self.invoke(np.zeros((self.contract.input_length, len(self.contract.channels)), np.float32))
        except RuntimeError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> ModelError:
        return ModelError(
            self._path,
            found=f"a graph that {self.name} cannot run ({str(error).splitlines()[0] if str(error) else error!r})",
            expected="a whole TFLite flatbuffer of built-in operators",
            next_step=_USE_EDGETPU if self._compiled else _CONVERT_AGAIN,
        )

    def _tensors(self) -> tuple[_Tensor, _Tensor]:
        contract = self.contract
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise self._misfit("graph", f"{len(inputs)} inputs and {len(outputs)} outputs", "one of each")
        return (
            self._tensor("input", inputs[0], [1, contract.window_length, contract.graph_channels]),
            self._tensor("output", outputs[0], [1, len(contract.labels)]),
        )

    def _tensor(self, end: str, detail: dict[str, Any], shape: list[int]) -> _Tensor:
        found = [int(n) for n in detail["shape"]]
        if found != shape:
            raise self._misfit(end, f"shape {found}", f"{shape} as in its contract")
        dtype = np.dtype(detail["dtype"])
        scale, zero_point = detail["quantization"]
        if dtype != np.float32 and not (dtype in (np.int8, np.uint8, np.int16) and scale > 0):
            raise self._misfit(end, f"type {dtype} with scale {scale:g}", "float32, or int8 with a scale")
        return _Tensor(int(detail["index"]), dtype, float(scale), int(zero_point))

    def _choose_input(self) -> GraphInput:
        contract, tensor = self.contract, self._input
        if contract.views is None:
            if tensor.quantised:
                return QuantisedInput(contract, tensor.dtype, tensor.scale, tensor.zero_point)
            return PlainInput()
        if not tensor.quantised:
            return FloatViewInput(contract)
        if tensor.dtype != np.int8 or tensor.zero_point or abs(tensor.scale * INPUT_STEPS - 1) > _SCALE_TOLERANCE:
            found = f"type {tensor.dtype} with scale {tensor.scale:g} and zero point {tensor.zero_point}"
            raise self._misfit("input", found, f"int8 with scale {1 / INPUT_STEPS:g} and zero point 0, those of views")
        return ViewInput(contract)

    def _misfit(self, end: str, found: str, expected: str) -> ModelError:
        return ModelError(f"{self._path} {end}", found=found, expected=expected, next_step=_CONVERT_AGAIN)


@dataclass(frozen=True, slots=True)
class _Tensor:
    index: int
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    @property
    def quantised(self) -> bool:
        return self.dtype != np.float32


def load_engine(
    path: str | Path, kind: str = "auto", threads: int = 1, *, kernels: str = "default", warm_up: bool = True
) -> TfliteEngine:
    """Load a ``.tflite`` file with the contract inside it.

    Args:
        path: the model.
        kind: ``litert`` or ``tflite``; ``edgetpu``, with whichever of them is installed; or ``auto`` for the first of
            them that is installed, with the Edge TPU if the model is compiled for it.
        threads: threads that it may use.
        kernels: ``default`` or ``reference``.
        warm_up: whether to run it once before it is handed out.

    Raises:
        ModelError: if the file is no model, has no contract, is broken, or does not fit its contract.
        SetupError: if no runtime of that kind is installed, or it clashes with the installed numpy, or the model needs
            an Edge TPU that cannot be used.
    """
    model = read_tflite(Path(path))
    runtime = choose_runtime("auto" if kind == EDGETPU else kind)
    # A compiled model has operations that the processor cannot run: there is nothing to fall back on.
    wanted = kind == EDGETPU or (kind == "auto" and is_compiled(model.content))
    delegate = edgetpu_delegate(model, runtime) if wanted else None
    return TfliteEngine(model, runtime, threads, kernels=kernels, delegate=delegate, warm_up=warm_up)


def predict(engine: Engine, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits float32 ``[n, classes]`` of windows float32 ``[n, input_length, channels]`` in SI units."""
    logits = np.empty((len(windows), len(engine.contract.labels)), np.float32)
    for row, window in zip(logits, windows, strict=True):
        row[:] = engine.invoke(window)
    return logits
