"""Each wearer of a data set as an int8 model sees them whose training left them out: that of a fold of a run.

The models are converted from the runs of the folds, so that they have an embedding:

    for FOLD in 0 1 2 3 4 5 6 7 8 9; do deseptr convert RUN/fold-$FOLD/run -o MODELS/fold-$FOLD.tflite; done
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract.familiar_statistics import window_statistics
from deseptr.data import Dataset, cut_for_model, load_dataset
from deseptr.device.personal.recorded import Recorded
from deseptr.tflite import Engine, TfliteEngine, load_engine, predict_with_embeddings

# The activities of HAPT that are no transitions.
BASIC = ("walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying")


@dataclass(frozen=True)
class Folds:
    """The models of a cross-validation.

    Args:
        name: of the data set.
        dataset: its recordings of the labels.
        labels: those of the model that are used, in its order; logits of others are left out.
        models: the model's file and the test wearers of each fold.
    """

    name: str
    dataset: Dataset
    labels: tuple[str, ...]
    models: tuple[tuple[Path, tuple[str, ...]], ...]

    @classmethod
    def read(cls, data: Path, name: str, folders: Sequence[Path], labels: Sequence[str] = ()) -> Folds:
        """Read the protocol of a run and find its models.

        Args:
            data: folder of the data sets.
            name: of the data set.
            folders: the run of `deseptr crossval`, and the folder of its converted models.
            labels: labels to use; all of the model without them.
        """
        run, converted = folders
        protocol = json.loads((run / "crossval.json").read_text("utf-8"))["protocol"]
        models = [
            (converted / f"fold-{each['name']}.tflite", tuple(each["test_subjects"])) for each in protocol["folds"]
        ]
        wanted = tuple(labels) or tuple(protocol["labels"])
        return cls(name, load_dataset(data / f"{name}.npz").select(labels=wanted), wanted, tuple(models))

    def wearers(self) -> Iterator[Wearer]:
        """Every wearer, fold by fold."""
        for number, (_, names) in enumerate(self.models):
            engine = self.engine(number)
            for name in names:
                yield wearer_of(engine, self.dataset.select(subjects=[name]), number)

    def engine(self, fold: int) -> OnlyLabels:
        """The model of a fold, with these labels alone."""
        return OnlyLabels(load_engine(self.models[fold][0]), self.labels)


class OnlyLabels:
    """An engine without the logits of other labels, as a model whose head has no outputs for them.

    Args:
        engine: the model.
        labels: some of its labels.
    """

    def __init__(self, engine: TfliteEngine, labels: tuple[str, ...]) -> None:
        self._engine = engine
        self._own = [engine.contract.labels.index(label) for label in labels]
        self.name, self.threads, self.model = engine.name, engine.threads, engine.model
        self.contract = replace(engine.contract, labels=labels)

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        return self._engine.embedding

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._engine.invoke(window)[self._own]


def wearer_of(engine: Engine, own: Dataset, fold: int, labels: Sequence[str] = ()) -> Wearer:
    """A wearer's labelled windows as a model sees them; with its labels, or these."""
    windows = cut_for_model(own, engine.contract, labels or engine.contract.labels)
    logits, embeddings = predict_with_embeddings(engine, windows.signals)
    contract = engine.contract
    statistics = window_statistics(windows.signals[:, -contract.window_length :], contract.channels).astype(np.float32)
    seen = Recorded(logits, embeddings, windows.labels, windows.recording, windows.start, statistics)
    trials = np.array([int(each.name) for each in own.recordings])
    return Wearer(own.subjects[0], fold, seen, trials[windows.recording])


@dataclass(frozen=True, eq=False)
class Wearer:
    """Windows of a wearer as the model sees them.

    Args:
        name: the wearer.
        fold: whose model it is.
        seen: the windows.
        trials: ``[window]`` the trial of each, as the data set names it.
    """

    name: str
    fold: int
    seen: Recorded
    trials: NDArray[np.int64]


def add_folds(parser: argparse.ArgumentParser) -> None:
    """Add the options that name runs and models."""
    for name in ("motionsense", "hapt"):
        parser.add_argument(
            f"--{name}",
            type=Path,
            nargs=2,
            required=True,
            metavar=("RUN", "MODELS"),
            help=f"run of `deseptr crossval {name}.npz --protocol arena`, folder of its models as fold-K.tflite",
        )
