"""The models of ``deseptr compare``: loading them, giving them distinct names, and preparing their inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, ModelContract, ModelError, SetupError, read_input
from deseptr.tflite import TfliteFile, read_tflite
from deseptr.tflite.bare_model import BareModel, BareOnnx, BareTflite
from deseptr.tflite.engine import TfliteEngine, predict
from deseptr.tflite.file import LARGEST_MODEL, contract_inside, read_flatbuffer
from deseptr.tflite.graph import Graph, read_graph
from deseptr.tflite.graph_outputs import EMBEDDING, output_places
from deseptr.tflite.runtimes import choose_runtime

from .predictor import Predictor

# Steps per input range of an int8 input and of views.
_INPUT_STEPS = np.float32(INPUT_STEPS)


@dataclass(frozen=True)
class Engines:
    """Settings for running models.

    Args:
        threads: threads that an engine may use.
        kernels: kernels of the TFLite runtime, ``default`` or ``reference``.
    """

    threads: int = 1
    kernels: str = "default"


@dataclass(frozen=True, eq=False)
class Contestant:
    """A model in the comparison.

    Args:
        name: unique name.
        path: its file, or the file that it was converted from.
        content: content of its file.
        model: the loaded graph.
        graph: operations and tensors of the flatbuffer; None for an ONNX model, or if no schema is installed.
        contract: definition of inputs and outputs, if known.
        scaled: whether a float input is the window divided by the contract's input range, rounded to the steps of an
            int8 input, as for a lowered graph and in training, rather than the window itself.
    """

    name: str
    path: Path
    content: bytes
    model: BareModel
    graph: Graph | None
    contract: ModelContract | None
    scaled: bool = False

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates per inference, if shapes are known."""
        if self.graph is None or any(t.is_dynamic for node in self.graph.nodes for t in node.activations):
            return None
        return self.graph.macs

    def feed(self, window: NDArray[np.float32]) -> list[NDArray[Any]]:
        """The input array for a window ``[input_length, channels]`` in SI units."""
        (port,) = self.model.inputs
        if self.contract is not None and self.contract.views is not None:
            views = self.contract.views.encode(window, self.contract.input_range)
            return [port.encode(np.asarray(views, np.float32) / _INPUT_STEPS)]
        return [port.encode(window / self._range if port.quantised else self._as_float(window))]

    def predictor(self, engines: Engines) -> Predictor | None:
        """A function that predicts logits of windows; None without a contract.

        Raises:
            ModelError: if the model does not fit its contract.
        """
        if self.contract is None:
            return None
        if isinstance(self.model, BareOnnx):
            return self._onnx_predictor(self.contract)
        file = TfliteFile(self.content, self.contract, self.path)
        engine = TfliteEngine(file, choose_runtime("auto"), engines.threads, kernels=engines.kernels)
        as_it_is = self.model.inputs[0].quantised or self.contract.views is not None
        return Predictor(
            self.contract,
            engine.name,
            # The engine encodes views and scales integer inputs; a float input gets the windows unchanged.
            lambda windows: predict(engine, windows if as_it_is else self._as_float(windows)),
        )

    def _onnx_predictor(self, contract: ModelContract) -> Predictor:
        shapes = [port.shape for port in self.model.inputs]
        wanted = (1, contract.window_length, contract.graph_channels)
        sizes = [array.size for array in _outputs(self.model).values()]
        places = output_places(self.model.output_names, contract)
        if shapes != [wanted] or places is None or sizes[places.logits] != len(contract.labels):
            raise ModelError(
                self.path,
                found=f"inputs {list(map(list, shapes))} and {sizes} logits",
                expected=f"[{list(wanted)}] and [{len(contract.labels)}] as in its contract",
                next_step="pass its own contract with --contract",
            )

        def predict(windows: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.stack([self.model.run(self.feed(window))[places.logits].reshape(-1) for window in windows])

        return Predictor(contract, self.model.runtime, predict)

    def _as_float(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows as values of a float input: in SI units, or if it is scaled, in the steps of an int8 input."""
        if not self.scaled:
            return windows
        steps = np.rint(windows / self._range * _INPUT_STEPS)
        return np.asarray(np.clip(steps, -128, 127) / _INPUT_STEPS)

    @property
    def _range(self) -> NDArray[np.float32]:
        assert self.contract is not None
        return np.asarray(self.contract.input_range, np.float32)


def load_contestants(
    paths: Sequence[Path],
    engines: Engines,
    *,
    contract: Path | None = None,
    scaled: bool = False,
    onnx: bool = False,
) -> list[Contestant]:
    """Load models and give them distinct names.

    Args:
        paths: ``.tflite`` and ``.onnx`` files.
        engines: settings for running them.
        contract: contract for models without one: a ``contract.json``, or a ``.tflite`` that contains one.
        scaled: whether such models take, in float, the window divided by the contract's input range.
        onnx: also convert each float ``.tflite`` to ONNX, as an additional model.

    Raises:
        ModelError: if a file is missing, broken, of another type or cannot be run.
        ConversionError: if a file cannot be converted to ONNX.
        SetupError: if an engine is not installed, or ``onnx`` finds nothing to convert.
    """
    given = _read_contract(contract) if contract else None
    names = distinct_names(paths)
    loaded = [_load(path, name, engines, given, scaled) for path, name in zip(paths, names, strict=True)]
    return _with_onnx(loaded, engines) if onnx else loaded


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Distinct names: the stems, or else paths with as many folders as tell them apart; repeated files are numbered.

    >>> distinct_names([Path("a/model.tflite"), Path("b/model.tflite")])
    ['a/model.tflite', 'b/model.tflite']
    """
    wholes = [path.absolute() for path in paths]
    names = [whole.stem for whole in wholes]
    depth = 0
    while len(set(names)) < len(set(wholes)):
        depth += 1
        names = ["/".join(whole.parts[-depth:]) for whole in wholes]
    before: Counter[str] = Counter()
    for index, name in enumerate(names):
        before[name] += 1
        if before[name] > 1:
            names[index] = f"{name} ({before[name]})"
    return names


def _load(path: Path, name: str, engines: Engines, given: ModelContract | None, scaled: bool) -> Contestant:
    if path.suffix == ".onnx":
        content = _read_onnx(path)
        onnx = BareOnnx(content, path, engines.threads)
        return Contestant(name, path, content, onnx, None, _fitted(given, onnx), scaled)
    content = read_flatbuffer(path)
    graph = _graph(content, path)
    model = BareTflite(content, path, choose_runtime("auto"), engines.threads, engines.kernels)
    inside = contract_inside(content, path)
    # A file with its own contract gets the inputs that the engine computes.
    return Contestant(name, path, content, model, graph, inside or _fitted(given, model), scaled and inside is None)


def _fitted(given: ModelContract | None, model: BareModel) -> ModelContract | None:
    """A contract from outside a model's file, with the embedding that the graph has: scores need logits alone."""
    if given is None:
        return None
    outputs = _outputs(model)
    embedding = outputs.get(EMBEDDING) if len(outputs) == 2 else None
    return replace(given, embedding_width=0 if embedding is None else embedding.size)


def _outputs(model: BareModel) -> dict[str, NDArray[Any]]:
    """The outputs of a graph for zeros, by name, in their order."""
    arrays = model.run([np.zeros(port.shape, port.dtype) for port in model.inputs])
    return dict(zip(model.output_names, arrays, strict=True))


def _with_onnx(loaded: Sequence[Contestant], engines: Engines) -> list[Contestant]:
    from deseptr.convert.to_onnx import is_float, to_onnx

    floats = {id(each) for each in loaded if isinstance(each.model, BareTflite) and is_float(each.content, each.path)}
    if not floats:
        raise SetupError(
            "--onnx",
            found="no float .tflite among the models",
            expected="one to convert",
            next_step="pass the float flatbuffer of the network, too",
        )
    both = []
    for each in loaded:
        both.append(each)
        if id(each) in floats:
            content = to_onnx(each.content, each.path)
            model = BareOnnx(content, f"{each.path} as ONNX", engines.threads)
            both.append(replace(each, name=f"{each.name} (ONNX)", content=content, model=model, graph=None))
    return both


def _read_contract(path: Path) -> ModelContract:
    return read_tflite(path).contract if path.suffix == ".tflite" else ModelContract.load(path)


def _read_onnx(path: Path) -> bytes:
    try:
        return read_input(path, LARGEST_MODEL)
    except OSError as error:
        raise ModelError(
            path, found=error.strerror, expected="an .onnx file", next_step="pass one, or a .tflite file"
        ) from error


def _graph(content: bytes, path: Path) -> Graph | None:
    try:
        return read_graph(content, path)
    except SetupError:  # tflite-runtime comes without a schema
        return None
