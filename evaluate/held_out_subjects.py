"""The subjects of some recordings that models are measured on, where nobody names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deseptr.contract import DataError, HeldOut, ModelContract
from deseptr.data import Dataset
from deseptr.data.recording import short_list

ALL = "all"


OF_SOME = "held out when some of the models were trained; the others do not remember whom they were trained on"
"""Why subjects were chosen whom not every model is known to have held out."""


class Chosen(NamedTuple):
    """Subjects, and why they are measured, as it follows on their names."""

    subjects: tuple[str, ...]
    reason: str


def remembered(path: Path, contract: ModelContract) -> HeldOut | None:
    """The subjects that were held out when a model was trained; None if neither contract nor run folder knows.

    Args:
        path: a run folder, a checkpoint in it, or another file of a model.
        contract: of the model. A run of an earlier version has their names in ``metrics.json`` alone.
    """
    if contract.held_out is not None or path.suffix == ".tflite":
        return contract.held_out
    from deseptr.train.checkpoint import run_folder_of
    from deseptr.train.run_folder import read_metrics

    folder = run_folder_of(path)
    if not folder.metrics.exists():
        return None
    subjects = read_metrics(folder).get("subjects")
    names = subjects.get("test") if isinstance(subjects, dict) else None
    return HeldOut.of(map(str, names), bytes(16)) if isinstance(names, list) and names else None


def choose_subjects(dataset: Dataset, wanted: Sequence[str] | None, models: Sequence[HeldOut | None]) -> Chosen:
    """Choose subjects: those wanted, else those that every model held out, else the dataset's own, else all.

    Args:
        dataset: labelled recordings.
        wanted: names, if somebody chose; ``("all",)`` stands for all, unless a subject has this name.
        models: what each model remembers, see :func:`remembered`.

    Raises:
        DataError: if the models remember subjects of which the dataset has none.
    """
    if wanted:
        every = tuple(wanted) == (ALL,) and ALL not in dataset.subjects
        return Chosen(dataset.subjects if every else tuple(wanted), "as chosen")
    known = [each for each in models if each is not None]
    if known:
        found = dataset.subjects
        for held_out in known:
            found = held_out.among(found)
        if not found:
            raise _none_of_them(dataset, known)
        least = min(map(len, known))
        part = f" ({len(found)} of {least})" if len(found) < least else ""
        return Chosen(found, f"{_reason(len(models), len(known))}{part}")
    if dataset.test_subjects:
        return Chosen(dataset.test_subjects, "the dataset's own test subjects")
    return Chosen(dataset.subjects, "all of them, also those that it may have been trained on")


def _reason(models: int, known: int) -> str:
    if known < models:
        return OF_SOME
    return f"held out when {'it was' if models == 1 else 'they were'} trained"


def _none_of_them(dataset: Dataset, known: Sequence[HeldOut]) -> DataError:
    held_out = f"the {len(known[0])} that the model" if len(known) == 1 else "those that every model"
    return DataError(
        f"{dataset.name}: subjects {short_list(dataset.subjects)}",
        found=f"none of {held_out} held out of its training",
        expected="recordings of these people, under the same names",
        next_step="choose people who were not trained on with --test-subjects; --test-subjects all takes everybody",
    )
