"""Measuring a checkpoint or a converted model on labelled recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from deseptr.contract import DataError, ModelContract, Scores, score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deseptr.data import Dataset, Windows
    from deseptr.tflite import Engine
    from deseptr.train import CalibrationWindows


class Predictor(NamedTuple):
    """A loaded model: its contract, its runtime, and its logits for raw windows ``[n, input_length, channels]``."""

    contract: ModelContract
    runtime: str
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]]


def load_predictor(path: Path, threads: int = 1) -> Predictor:
    """Load a run folder, a ``.keras`` checkpoint, a random forest's ``.npz`` or a ``.tflite`` file.

    Raises:
        ModelError: if it cannot be read, or if it contradicts its contract.
    """
    if path.suffix == ".tflite":
        from deseptr.tflite import load_engine

        return predictor_of(load_engine(path, threads=threads))
    from deseptr.train.quiet_import import load_quietly

    load_quietly()
    import keras

    from deseptr.train import load_run
    from deseptr.train.training_loop import predict_logits

    classifier, contract = load_run(path)
    runtime = "numpy" if contract.model == "random_forest" else f"keras {keras.__version__}"
    return Predictor(contract, runtime, lambda windows: predict_logits(classifier, windows))


def predictor_of(engine: Engine) -> Predictor:
    """What an engine predicts."""
    from deseptr.tflite import predict

    return Predictor(engine.contract, engine.name, lambda windows: predict(engine, windows))


def windows_for(contract: ModelContract, dataset: Dataset) -> Windows:
    """Labelled windows of a dataset for a model, with its channels only; labels are indices into the contract's labels.

    If the contract has views, the windows include their history.

    Classes of the model that the dataset lacks have no windows; other classes of the dataset are left out.

    Raises:
        DataError: if there is no common class, the recordings lack a channel of the model, or no run is long enough.
    """
    from dataclasses import replace

    import numpy as np

    from deseptr.data import cut_for_model

    common = [label for label in contract.labels if label in dataset.label_names]
    if not common:
        raise DataError(
            dataset.name,
            found=f"the labels {', '.join(dataset.label_names) or 'none'}",
            expected=f"some of the model's: {', '.join(contract.labels)}",
            next_step="rename the labels, or train on this dataset",
        )
    next_step = "use recordings that have the model's channels, or a model trained on these with --channels"
    windows = cut_for_model(dataset, contract, common, next_step)
    positions = np.array([contract.labels.index(label) for label in common])
    return replace(windows, labels=positions[windows.labels], label_names=contract.labels)


def calibration_for(
    contract: ModelContract, dataset: Dataset, test_subjects: tuple[str, ...] | None, seed: int = 0
) -> CalibrationWindows:
    """Windows of a dataset to calibrate a conversion, and windows of the test subjects to verify it.

    Args:
        contract: contract of the model.
        dataset: labelled recordings of at least three subjects.
        test_subjects: subjects for the verification; by default those that the model held out, else those of the
            dataset, else a random quarter.
        seed: seed of the choice of subjects and windows.

    Raises:
        DataError: if the subjects cannot be split, a part has no window, or the recordings do not fit the model.
    """
    from deseptr.data import subject_split
    from deseptr.train.run_folder import choose_calibration

    known = contract.held_out.among(dataset.subjects) if contract.held_out and not test_subjects else ()
    split = subject_split(dataset, test_subjects=test_subjects or known or None, validation=0, seed=seed)
    windows = windows_for(contract, dataset)
    training, held_out = (_part(windows, subjects, dataset) for subjects in (split.train, split.test))
    return choose_calibration(training, held_out, seed)


def _part(windows: Windows, subjects: tuple[str, ...], dataset: Dataset) -> Windows:
    part = windows.of_subjects(subjects)
    if not len(part):
        raise DataError(
            f"{dataset.name}: subjects {', '.join(subjects)}",
            found="no labelled window",
            expected="at least one of the model's length and classes",
            next_step="choose other --test-subjects",
        )
    return part


def window_logits(predictor: Predictor, dataset: Dataset) -> tuple[Windows, NDArray[np.float32]]:
    """Every labelled window of a dataset for a model, and its logits ``[window, class]``."""
    windows = windows_for(predictor.contract, dataset)
    return windows, predictor.predict(windows.signals)


def classify(predictor: Predictor, dataset: Dataset) -> tuple[Windows, NDArray[np.int64]]:
    """Every labelled window of a dataset for a model, and the predicted class of each."""
    windows, logits = window_logits(predictor, dataset)
    return windows, logits.argmax(axis=1)


def evaluate_model(predictor: Predictor, dataset: Dataset) -> Scores:
    """Score a model on every labelled window of a dataset."""
    return scores_of(*window_logits(predictor, dataset))


def scores_of(windows: Windows, logits: NDArray[np.float32]) -> Scores:
    """Scores of the logits ``[window, class]`` of labelled windows."""
    return score(windows.labels, logits.argmax(axis=1), windows.label_names, windows.subjects)
