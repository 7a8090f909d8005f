"""Reading checkpoints and checking them against their contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import ArchiveError, ModelContract, ModelError, ZipReader
from deseptr.contract.counts import counted
from deseptr.contract.memory_limit import GIB, is_out_of_memory, limited_memory

from .declared_weights import MOST_OPERATIONS, too_many_declared
from .layer_outputs import largest_output, operations_of
from .run_folder import RunFolder

# Pickles of earlier versions are among them, since the forest's reader refuses them by name.
FOREST_SUFFIXES = (".npz", ".joblib")
TORCH_SUFFIX = ".pt2"
# Of a model and of one window's inference, besides what the file itself takes.
_LARGEST, _COPIES = 4 * GIB, 8
_MOST_NUMBERS = 2**28
_SMALLER = "make its layers smaller, or do not load it if it is a stranger's"
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
# Files leave out what takes no memory, and wrappers declare more than they have: Bidirectional builds the layer that it
# is given, and its two directions.
_NOT_STORED, _DECLARED = 2**20, 4
_SUFFIXES = (".keras", TORCH_SUFFIX, *FOREST_SUFFIXES)


def load_checkpoint(path: Path, contract: ModelContract) -> Any:
    """Load a ``.keras`` checkpoint and check it against its contract.

    Plain Keras models are accepted too, if their layers are Keras' own or this package's: input
    ``[batch, window_length, channels]`` in SI units, output logits or probabilities ``[batch, labels]``. Programs of
    PyTorch, ``.pt2``, become such a model of one window.

    Raises:
        ModelError: if the file is missing or no checkpoint, its shapes or weights contradict the contract, it declares
            far more weights than it has, runs more than 20,000 operations, or takes more than 4 GiB of memory.
    """
    if not path.is_file():
        raise ModelError(path, found="no file", expected="a .keras checkpoint", next_step="run `deseptr train` first")
    # What is loaded once stays outside the limit.
    import keras  # noqa: F401

    try:
        with limited_memory(_LARGEST + _COPIES * path.stat().st_size):
            model = _load_torch(path) if path.suffix == TORCH_SUFFIX else _load_keras(path)
            _check_outputs(model, path)
            _check_weights(model, path)
            _check_shapes(model, contract, path)
    except (ModelError, MemoryError) as error:
        if is_out_of_memory(error):
            raise _too_large(path) from error
        raise
    return model


def _too_large(path: Path) -> ModelError:
    return ModelError(
        path,
        found=f"a model that takes more than {_LARGEST // GIB} GiB of memory for one window, or than there is",
        expected="a model of a size that a wearable could run",
        next_step=f"free memory, {_SMALLER}",
    )


def _load_torch(path: Path) -> Any:
    from .torch_program.network import load_torch_program

    return load_torch_program(path)


def _load_keras(path: Path) -> Any:
    import keras

    # Keras finds the classes named in a checkpoint only if their modules have been imported.
    from . import classifier, front_end, models, view_encoder, window_front_end  # noqa: F401

    for name in dir(models):
        getattr(models, name)

    try:
        # Keras would read another suffix, such as .h5, as another format.
        if path.suffix != ".keras":
            raise ValueError("no .keras archive")
        declared, stored = _read_archive(path)
        excess = too_many_declared(declared, _DECLARED * stored + _NOT_STORED)
        if excess == "operations":
            raise ValueError(f"more than {MOST_OPERATIONS:,} layers and operations declared")
        if excess == "weights":
            raise ValueError(f"far more weights declared than the {stored:,} bytes of {_WEIGHTS} have")
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # keras, h5py and json raise different exceptions
        raise ModelError(
            path,
            found=f"an unreadable checkpoint ({_reason(error)})",
            expected="a .keras file of `deseptr train`, or of Keras 3 without Lambda and custom layers",
            next_step="save it again with such layers only, or train again",
        ) from error
    if not isinstance(model, keras.Model):
        raise ModelError(
            path, found=type(model).__name__, expected="a keras.Model", next_step="save a whole model with Keras 3"
        )
    return model


def _read_archive(path: Path) -> tuple[dict[str, Any], int]:
    """Read a checkpoint within limits, since Keras unpacks whatever is in it.

    Returns:
        The model's configuration, and the bytes of the file of its weights.

    Raises:
        ValueError: if it is no whole archive, or unpacks to far more than its size.
    """
    try:
        with ZipReader(path) as archive:
            archive.check()
        # The first reader has used up its limit.
        with ZipReader(path) as archive:
            return json.loads(archive.read(_CONFIG)), archive.size(_WEIGHTS)
    except ArchiveError as error:
        raise ValueError(f"no .keras archive: {error}") from error


def _reason(error: Exception) -> str:
    """The most informative part of an error's text, without Keras' wrapper; its type if there is no text."""
    text = str(error).rpartition("Exception encountered: ")[2].strip()
    return (text.splitlines() or [type(error).__name__])[0][:120]


def _check_outputs(model: Any, path: Path) -> None:
    operations = operations_of(model)
    if operations > MOST_OPERATIONS:
        raise ModelError(
            path,
            found=f"a model that runs {operations:.3g} operations for one window",
            expected=f"at most {MOST_OPERATIONS:,}",
            next_step="make it of fewer layers, or do not load it if it is a stranger's",
        )
    name, numbers = largest_output(model)
    if numbers > _MOST_NUMBERS:
        raise ModelError(
            f"{path}: {name}",
            found=f"a layer that makes {numbers:,} numbers of one window",
            expected=f"at most {_MOST_NUMBERS:,}",
            next_step=_SMALLER,
        )


def _check_weights(model: Any, path: Path) -> None:
    for weight in model.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ModelError(
                f"{path}: {weight.path}", found="NaN or infinity", expected="finite weights", next_step="train again"
            )


def _check_shapes(model: Any, contract: ModelContract, path: Path) -> None:
    next_step = "put the contract of this checkpoint beside it, with its window_s, rate_hz, channels and labels"
    try:
        output = model(np.zeros((1, contract.input_length, len(contract.channels)), "float32"))
    except Exception as error:  # depends on which layer rejects the window
        raise ModelError(
            path,
            found=f"a model that does not accept a {contract.input_length} × {len(contract.channels)} window"
            f"{_own_window(model)}",
            expected="the contract's window",
            next_step=next_step,
        ) from error
    expected = (1, len(contract.labels))
    shape = getattr(output, "shape", None)
    if shape is None or tuple(shape) != expected:
        raise ModelError(
            path,
            found=counted(len(output), "output") if shape is None else f"output {tuple(shape)}",
            expected=f"{expected}, one logit for each label of the contract",
            next_step=next_step,
        )


def run_folder_of(path: Path) -> RunFolder:
    """The run folder at a path, or the folder of a model file with its contract beside it.

    Raises:
        ModelError: if there is nothing at the path.
    """
    if not path.exists():
        raise ModelError(
            path, found="no such folder or file", expected="a run of `deseptr train`", next_step="check the path"
        )
    return RunFolder(path if path.is_dir() else path.parent)


def check_model_path(path: Path) -> None:
    """Refuse a file of another kind before its contract is missed, which would be beside a model.

    Raises:
        ModelError: if the path is neither a folder nor named as a model is.
    """
    if not path.is_dir() and path.suffix not in _SUFFIXES:
        raise ModelError(
            path,
            found=f"a file {path.suffix}" if path.suffix else "a file without a suffix",
            expected="a run folder, or a model as .keras or .pt2",
            next_step="name one of these",
        )


def load_run(path: Path) -> tuple[Any, ModelContract]:
    """Load the model and contract of a run folder, or of a ``.keras``, ``.pt2`` or ``.npz`` file and what is beside it.

    The settings of a run folder choose the file, whatever else lies there.

    Returns:
        The model, which has ``predict`` (a :class:`WindowClassifier`, a plain Keras model or a :class:`RandomForest`),
        and its contract.

    Raises:
        ModelError: if either is missing or unreadable, or if they contradict each other.
    """
    folder = run_folder_of(path)
    check_model_path(path)
    contract = ModelContract.load(folder.contract)
    if path.is_dir():
        path = folder.trained_model
    if path.suffix in FOREST_SUFFIXES:
        return _load_forest(path, contract), contract
    return load_checkpoint(path, contract), contract


def _load_forest(path: Path, contract: ModelContract) -> Any:
    from .models.random_forest import RandomForest

    forest = RandomForest.load(path, contract.channels)
    if forest.classes != len(contract.labels):
        raise ModelError(
            path,
            found=counted(forest.classes, "class"),
            expected=f"{len(contract.labels)}, one for each label of the contract",
            next_step="put the contract of this model beside it",
        )
    return forest


def _own_window(model: Any) -> str:
    match getattr(model, "input_shape", None):
        case (_, int(length), int(channels)):
            return f" but {length} × {channels}"
    return ""
