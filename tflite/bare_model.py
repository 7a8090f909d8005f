"""A model with or without contract, with inputs and outputs of its own types, on a TFLite runtime or ONNX Runtime.

Used to time models for a comparison; for classifying windows there are engines (:mod:`.engine`), which need a contract.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, SetupError
from deseptr.contract.memory_limit import limited_memory

from .loading import LARGEST_RUN, graph_errors, unusable_graph
from .runtimes import TfliteRuntime, check_threads

_CHECK_CONVERSION = "check how it was converted, or leave it out"


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Args:
        name: name in the file.
        shape: shape; all dimensions are known.
        dtype: element type.
        scale: scale of a quantised port, else 0.
        zero_point: zero point of a quantised port, else 0.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    @property
    def quantised(self) -> bool:
        """Whether the elements are integers that represent real numbers."""
        return self.scale > 0

    def random(self, rng: np.random.Generator) -> NDArray[Any]:
        """Noise over the full range of a quantised port, within ±1 for a float port."""
        if self.quantised:
            limits = np.iinfo(self.dtype)
            return rng.integers(limits.min, limits.max, self.shape, self.dtype, endpoint=True)
        return rng.uniform(-1, 1, self.shape).astype(self.dtype)

    def encode(self, values: NDArray[np.float32]) -> NDArray[Any]:
        """Real numbers in the port's shape and type; for a quantised port rounded half to even and saturated."""
        if self.quantised:
            limits = np.iinfo(self.dtype)
            values = np.clip(np.rint(values / np.float32(self.scale)) + self.zero_point, limits.min, limits.max)
        return np.ascontiguousarray(values, self.dtype).reshape(self.shape)


class BareModel(Protocol):
    """A loaded graph."""

    @property
    def runtime(self) -> str:
        """Name and version of the runtime."""
        ...

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs of the graph."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs of the graph, in the order in which :meth:`run` returns them."""
        ...

    def run(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run on one array per input and return the outputs, including copies into and out of the runtime."""
        ...


class BareTflite:
    """A flatbuffer on a TFLite runtime.

    Args:
        content: content of the file.
        source: origin of the content, for error messages.
        runtime: the runtime to use.
        threads: threads that it may use.
        kernels: ``default`` or ``reference``.

    Raises:
        ModelError: if the runtime cannot run it, or if an input is neither float32 nor quantised.
        SetupError: if the runtime clashes with the installed numpy, or the number of threads is not allowed.
    """

    def __init__(
        self, content: bytes, source: object, runtime: TfliteRuntime, threads: int = 1, kernels: str = "default"
    ) -> None:
        check_threads(threads)
        self.runtime = runtime.version()
        make = runtime.interpreter(kernels)
        with graph_errors(source, self.runtime, _CHECK_CONVERSION):
            self._interpreter = make(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            self._interpreter.invoke()
        details = self._interpreter.get_input_details()
        self.inputs = tuple(_known(_tflite_port(detail), source) for detail in details)
        self._into = [detail["index"] for detail in details]
        outputs = self._interpreter.get_output_details()
        self.output_names = tuple(str(detail["name"]) for detail in outputs)
        self._out_of = [detail["index"] for detail in outputs]

    def feed(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Copy one array into each input; the inputs keep them."""
        for index, array in zip(self._into, arrays, strict=True):
            self._interpreter.set_tensor(index, array)

    def invoke(self) -> None:
        """Run on the current inputs without copying the outputs."""
        self._interpreter.invoke()

    def run(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Feed, invoke and copy the outputs."""
        self.feed(arrays)
        self.invoke()
        return [self._interpreter.get_tensor(index) for index in self._out_of]


class BareOnnx:
    """An ONNX model on ONNX Runtime's CPU provider with all graph optimisations.

    Args:
        content: content of the file.
        source: origin of the content, for error messages.
        threads: threads that an operation may use; operations run one after the other.

    Raises:
        ModelError: if the runtime cannot run it, or if an input is not float32.
        SetupError: if onnxruntime is not installed, or the number of threads is not allowed.
    """

    def __init__(self, content: bytes, source: object, threads: int = 1) -> None:
        check_threads(threads)
        ort = _onnxruntime()
        self.runtime = f"onnxruntime {ort.__version__}"
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 4
        try:
            with limited_memory(LARGEST_RUN):
                self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
                self.inputs = tuple(_known(_onnx_port(each), source) for each in self._session.get_inputs())
                self.output_names = tuple(str(each.name) for each in self._session.get_outputs())
                self.run([np.zeros(port.shape, port.dtype) for port in self.inputs])
        except ModelError:
            raise
        except Exception as error:  # the exceptions of ONNX Runtime have no other common base class
            raise unusable_graph(source, self.runtime, error, _CHECK_CONVERSION) from error

    def run(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run on one array per input and return the outputs."""
        feed = {port.name: array for port, array in zip(self.inputs, arrays, strict=True)}
        return list(self._session.run(None, feed))


def runner(model: BareModel, feeds: Sequence[Sequence[NDArray[Any]]]) -> Callable[[], object]:
    """A function that runs the model on the next of ``feeds``, cyclically."""
    each = cycle(feeds)
    return lambda: model.run(next(each))


def random_feeds(model: BareModel, count: int, seed: int = 0) -> list[list[NDArray[Any]]]:
    """``count`` random inputs."""
    rng = np.random.default_rng(seed)
    return [[port.random(rng) for port in model.inputs] for _ in range(count)]


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise SetupError(
            "onnxruntime",
            found="not installed",
            expected="the package, to run an ONNX model",
            next_step="`pip install 'deseptr[onnx]'`",
        ) from error
    return onnxruntime


def _tflite_port(detail: dict[str, Any]) -> Port:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(n) for n in detail["shape"])
    return Port(detail["name"], shape, np.dtype(detail["dtype"]), float(scale), int(zero_point))


def _onnx_port(value: Any) -> Port:
    # A dimension that the file leaves open, usually the batch, becomes 1.
    shape = tuple(n if isinstance(n, int) and n > 0 else 1 for n in value.shape)
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    return Port(value.name, shape, np.dtype({"float": "float32", "double": "float64"}.get(kind, kind)))


def _known(port: Port, source: object) -> Port:
    if port.dtype == np.float32 or (port.quantised and port.dtype.kind in "iu"):
        return port
    raise ModelError(
        f"{source} input {port.name}",
        found=f"type {port.dtype} with scale {port.scale:g}",
        expected="float32, or integers with a scale",
        next_step="compare models of windows",
    )
