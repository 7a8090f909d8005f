"""The ways to learn from few labels that the curve compares; each is a change of the student's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deseptr.train.config import FEATURE_MODELS, STEM_MODELS, TrainConfig

ALL = 0
"""The number of labelled wearers that stands for all of them."""


@dataclass(frozen=True)
class Arm:
    """A way to learn.

    Args:
        name: its name in folders and JSON.
        title: its name for people.
        changes: settings in which it differs from the student that is taught with unlabelled wearers, too.
    """

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def network(self) -> bool:
        """Whether it is a network, and no forest."""
        return self.changes.get("model") not in FEATURE_MODELS

    def config(self, config: TrainConfig, labelled: int, seed: int) -> TrainConfig:
        """Settings of a training with a number of labelled wearers."""
        changes = dict(self.changes)
        if changes.get("distillation") == "none" and config.model in STEM_MODELS:
            changes["stem"] = "own"
        if "model" in changes:
            changes["stem"] = TrainConfig.stem
        return replace(config, **changes, labelled_subjects=labelled, seed=seed)


CNN_HAR = Arm("cnn-har", "CNN-HAR", {"model": "cnn-har"})
FOREST = Arm("random-forest", "random forest", {"model": "random-forest", "views": False})
ALONE = Arm("alone", "student alone", {"distillation": "none"})
TAUGHT = Arm("taught", "student taught", {"unlabelled_share": 0.0})
SELF_TRAINED = Arm("self-trained", "student taught on unlabelled wearers, too")
ARMS = (CNN_HAR, FOREST, ALONE, TAUGHT, SELF_TRAINED)


def arms_of(labelled: int) -> tuple[Arm, ...]:
    """The arms at a number of labelled wearers: with the labels of all, no wearer is unlabelled."""
    return ARMS if labelled != ALL else tuple(arm for arm in ARMS if arm != SELF_TRAINED)
