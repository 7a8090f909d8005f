"""Training on few people's labels: whose labels are learned from, and which windows are without."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from deseptr.contract import ModelError, SetupError, atomic_write, read_json
from deseptr.data import Dataset, Split, Windows, cut_unlabelled, draw_labelled_subjects
from deseptr.data.recording import natural_sorted

from .config import TrainConfig


@dataclass(frozen=True)
class FewLabels:
    """Whose labels a run learns from, and what it learns from without labels.

    Args:
        labelled: training subjects whose labels are learned from.
        absent: classes that none of them has a window of; they cannot be learned.
        share: their share of the training subjects.
        unlabelled: windows to learn from without labels, labels -1, with the margins of the training windows; None if
            there are none or the settings use none.
    """

    labelled: tuple[str, ...]
    absent: tuple[str, ...]
    share: float
    unlabelled: Windows | None

    @property
    def subjects(self) -> dict[str, list[str]]:
        """Subjects whose labels are learned from, and those of the unlabelled windows, as plain JSON values."""
        people = () if self.unlabelled is None else natural_sorted(set(self.unlabelled.subjects.tolist()))
        return {"labelled": list(self.labelled), "unlabelled": list(people)}

    @property
    def count(self) -> int:
        """Number of the unlabelled windows."""
        return 0 if self.unlabelled is None else len(self.unlabelled)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with a digest of the unlabelled windows."""
        windows = self.unlabelled
        return {
            **self.subjects,
            "absent_classes": list(self.absent),
            "unlabelled_windows": self.count,
            "digest": None if windows is None else blake2b(windows.signals.tobytes(), digest_size=16).hexdigest(),
        }


def few_labels(
    dataset: Dataset, split: Split, windows: Windows, config: TrainConfig, cut: dict[str, Any]
) -> FewLabels | None:
    """Choose the labelled subjects and cut the windows without labels; None if all labels are used and nothing else.

    Recordings without labels are cut whole, since where an activity ends is a label, too. Those of subjects who are
    held out for validation or test are left out.

    Args:
        dataset: the recordings.
        split: its subjects.
        windows: its labelled windows.
        config: settings.
        cut: lengths of windows, as of :func:`deseptr.data.cut_windows`.

    Raises:
        DataError: if there are fewer training subjects with labels, or no recording is as long as a window.
        SetupError: if the dataset has recordings without labels, and the settings use none.
    """
    if not (config.labelled_subjects or dataset.unlabelled):
        return None
    if dataset.unlabelled and not config.learns_without_labels:
        raise SetupError(
            "--unlabelled",
            found=f"the model {config.model} with the distillation {config.distillation}",
            expected="a model with a teacher, which says what the unlabelled windows are",
            next_step="leave --unlabelled out or choose another model, as deseptr",
        )
    labelled = split.train
    if config.labelled_subjects:
        labelled = draw_labelled_subjects(windows, split.train, config.labelled_subjects, config.seed)
    counts = windows.of_subjects(labelled).counts()
    absent = tuple(name for name, count in counts.items() if not count)
    own = [each for each in dataset.recordings if each.subject in split.train and each.subject not in labelled]
    held_out = split.validation + split.test
    more = [each for each in dataset.unlabelled if each.subject not in held_out]
    unlabelled = None
    if config.learns_without_labels and (own or more):
        unlabelled = cut_unlabelled([*own, *more], dataset.label_names, **cut)
    return FewLabels(labelled, absent, len(labelled) / len(split.train), unlabelled)


def record_labelled(few: FewLabels | None, path: Path) -> None:
    """Write the choice into the run folder, or hold a resumed run to what it began with.

    Raises:
        ModelError: if the run began with other subjects or other windows.
    """
    now = few.to_dict() if few else {}
    for name, value in _recorded(path).items():
        if now.get(name) != value:
            raise ModelError(
                f"{path}: {name}",
                found=now.get(name, "nothing"),
                expected=f"{value}, as when the run began",
                next_step="resume with the same data and options, or start again with --overwrite",
            )
    if now:
        atomic_write(path, json.dumps(now, indent=2) + "\n")


def _recorded(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
