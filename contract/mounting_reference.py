"""How the training wearers wore the sensor: the direction of gravity and of the motion of each class.

A model's contract keeps it, so that a device can tell by what it measures whether its sensor is turned. It has no
names and no samples: means and spreads of :mod:`deseptr.contract.mounting_features` over all windows of a class.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ModelError
from .mounting import AS_TRAINED, Mounting

FEATURES = {("acc",): 10, ("acc", "gyro"): 26}
"""Number of features by the sensors that a model has; a magnetometer has no part in them."""


@dataclass(frozen=True)
class ClassMotion:
    """How gravity and motion lay in the axes of the sensor while the training wearers did one thing.

    Args:
        label: the class.
        mean: of the features over the windows of the class, in their order; gravity is among them.
        deviation: their standard deviations.
    """

    label: str
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class MountingReference:
    """The mounting of the sensor in the recordings of a model's training.

    Args:
        classes: the classes that had windows.
        worn: how the wearers wore it, as name of a turn from the commonest way and share of the wearers: a phone may be
            in a pocket either way round. ``none`` is among them.

    Raises:
        ModelError: if the features differ in number, are no numbers, or a turn has no name.

    >>> still = ClassMotion("still", (0.0,) * 10, (1.0,) * 10)
    >>> MountingReference((still,), (("none", 1.0),)).turns
    (Mounting(columns=(0, 1, 2), signs=(1, 1, 1)),)
    """

    classes: tuple[ClassMotion, ...]
    worn: tuple[tuple[str, float], ...] = (("none", 1.0),)

    def __post_init__(self) -> None:
        lengths = {len(values) for each in self.classes for values in (each.mean, each.deviation)}
        _require(len(lengths) == 1 and lengths <= set(FEATURES.values()), f"{sorted(lengths)} features", "10 or 26")
        right = all(
            all(map(math.isfinite, each.mean)) and all(0 < value < 1e6 for value in each.deviation)
            for each in self.classes
        )
        _require(right, "means or deviations out of range", "finite means and positive deviations")
        labels = [each.label for each in self.classes]
        _require(len(set(labels)) == len(labels), "a class twice", "each class once")
        right = all(0 < share <= 1 for _, share in self.worn) and AS_TRAINED in self.turns
        _require(right and len(set(self.turns)) == len(self.turns), f"worn {self.worn}", "shares of turns, with none")

    @property
    def turns(self) -> tuple[Mounting, ...]:
        """The turns by which the sensor was worn."""
        return tuple(Mounting.named(name, "contract.mounting") for name, _ in self.worn)

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors that the features are of."""
        return next(sensors for sensors, count in FEATURES.items() if count == len(self.classes[0].mean))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> MountingReference:
        """Read the value that a contract has.

        Raises:
            TypeError: if a value is of another kind.
            ValueError: if there are other keys.
            ModelError: as the class.
            SetupError: if a turn has no such name.
        """
        if content.keys() != {"classes", "worn"}:
            raise ValueError("a mounting is classes and worn")
        return cls(tuple(map(_class_motion, content["classes"])), tuple(map(_worn, content["worn"])))


def _class_motion(content: Any) -> ClassMotion:
    if content.keys() != {"label", "mean", "deviation"}:
        raise ValueError("a class of a mounting is a label, a mean and a deviation")
    return ClassMotion(_text(content["label"]), _numbers(content["mean"]), _numbers(content["deviation"]))


def _worn(content: Any) -> tuple[str, float]:
    name, share = content
    return _text(name), _numbers([share])[0]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return value


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise TypeError("not a list of numbers")
    return tuple(map(float, values))


def _require(condition: bool, found: str, expected: str) -> None:
    if not condition:
        raise ModelError("contract.mounting", found=found, expected=expected, next_step="correct the contract")
