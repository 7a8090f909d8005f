"""How the wearers of recordings wore the sensor, for the contract of a model that was made without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deseptr.contract import DataError, ModelContract, MountingReference
from deseptr.contract.counts import counted
from deseptr.data import Dataset
from deseptr.evaluate.predictor import windows_for
from deseptr.train.mounting_reference import mounting_reference


@dataclass(frozen=True)
class FoundReference:
    """A mounting reference, and what it was found in.

    Args:
        reference: for the contract.
        subjects: the wearers.
        windows: number of their windows.
    """

    reference: MountingReference
    subjects: tuple[str, ...]
    windows: int

    def __str__(self) -> str:
        """As a sentence without an end: ``6 classes, from 480 windows of 4 wearers, 25% of whom wore it y180``."""
        others = [f"{share:.0%} of whom wore it {name}" for name, share in self.reference.worn if name != "none"]
        of = f"{counted(self.windows, 'window')} of {counted(len(self.subjects), 'wearer')}"
        found = f"{counted(len(self.reference.classes), 'class')}, from {of}"
        return ", ".join([found, *others])

    def to_dict(self) -> dict[str, Any]:
        """The reference and the figures as plain JSON values."""
        return {
            "worn": dict(self.reference.worn),
            "classes": [each.label for each in self.reference.classes],
            "subjects": list(self.subjects),
            "windows": self.windows,
        }


def find_mounting_reference(contract: ModelContract, dataset: Dataset) -> FoundReference:
    """The mounting reference of labelled recordings, as training makes it of its own.

    Args:
        contract: the model's.
        dataset: recordings of the wearers.

    Raises:
        DataError: if no window is labelled, or the model has no accelerometer.
    """
    windows = windows_for(contract, dataset)
    reference = mounting_reference(windows)
    if reference is None:
        raise DataError(
            dataset.name,
            found=f"the channels {', '.join(contract.channels)} of the model",
            expected="an accelerometer with three axes, alone or with a gyroscope",
            next_step="leave out --mounting",
        )
    return FoundReference(reference, tuple(sorted(set(windows.subjects.tolist()))), len(windows))
