"""Reading checkpoints: a model that loads here is one that fits its contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import ModelContract, ModelError

from .run_folder import RunFolder


def load_checkpoint(path: Path, contract: ModelContract) -> Any:
    """Load a ``.keras`` checkpoint and check it against its contract.

    Raises:
        ModelError: if the file is missing, no checkpoint, or its shapes or weights contradict the contract.
    """
    import keras

    # Keras finds the classes that a checkpoint names only if their modules have been imported.
    from . import front_end, models, window_front_end  # noqa: F401
    from .classifier import WindowClassifier

    if not path.is_file():
        raise ModelError(path, found="no file", expected="a .keras checkpoint", next_step="run `deseptr train` first")
    try:
        classifier = keras.saving.load_model(path, compile=False)
    except Exception as error:  # keras, h5py, zipfile and json each raise their own
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            path,
            found=f"an unreadable checkpoint ({reason[0][:120]})",
            expected="a .keras file of `deseptr train`",
            next_step="train again",
        ) from error
    if not isinstance(classifier, WindowClassifier):
        raise ModelError(
            path, found=type(classifier).__name__, expected="a WindowClassifier", next_step="train with `deseptr train`"
        )
    _check_model(classifier, contract, path)
    return classifier


def _check_model(classifier: Any, contract: ModelContract, path: Path) -> None:
    for weight in classifier.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ModelError(
                f"{path}: {weight.path}", found="NaN or infinity", expected="finite weights", next_step="train again"
            )
    expected = (1, len(contract.labels))
    try:
        shape = tuple(classifier(np.zeros((1, contract.window_length, len(contract.channels)), "float32")).shape)
    except (ValueError, TypeError) as error:
        raise ModelError(
            path,
            found=f"a model that takes no {contract.window_length} × {len(contract.channels)} window",
            expected="the contract's window",
            next_step="put the contract of this checkpoint beside it",
        ) from error
    if shape != expected:
        raise ModelError(
            path,
            found=f"output {shape}",
            expected=f"{expected}, one logit a label of the contract",
            next_step="put the contract of this checkpoint beside it",
        )


def load_run(path: Path) -> tuple[Any, ModelContract]:
    """Load a run folder's model, or a ``.keras`` or ``.joblib`` file with its contract beside it, and that contract.

    Returns:
        A :class:`WindowClassifier` or a :class:`RandomForest`, which both have ``predict``, and the contract.

    Raises:
        ModelError: if either is missing or unreadable or they contradict each other.
    """
    folder = RunFolder(path if path.is_dir() else path.parent)
    if not path.exists():
        raise ModelError(
            path, found="no such folder or file", expected="a run of `deseptr train`", next_step="check the path"
        )
    contract = ModelContract.load(folder.contract)
    if path.is_dir():
        path = folder.forest if folder.forest.exists() else folder.model
    if path.suffix == folder.forest.suffix:
        return _load_forest(path, contract), contract
    return load_checkpoint(path, contract), contract


def _load_forest(path: Path, contract: ModelContract) -> Any:
    from .models.random_forest import RandomForest

    forest = RandomForest.load(path)
    if forest.classes != len(contract.labels):
        raise ModelError(
            path,
            found=f"{forest.classes} classes",
            expected=f"{len(contract.labels)}, one a label of the contract",
            next_step="put the contract of this model beside it",
        )
    return forest
