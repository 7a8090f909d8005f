"""The rule by which a class of a model is an event that raises an alarm, such as a fall."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from .errors import SetupError


@dataclass(frozen=True, slots=True)
class EventRule:
    """When a class raises an alarm, and what confirms or cancels it.

    An event is *suspected* when ``windows`` windows in a row are at least as probable as ``threshold``. Without a
    confirmation the alarm is raised at once. With one, it is raised ``settle_s + confirm_s`` seconds later, unless the
    wearer has moved for more than ``1 - still`` of ``confirm_s`` by then.

    Args:
        label: the class.
        threshold: smallest probability of the class in one window.
        windows: number of successive windows that need it.
        refractory_s: time after an alarm within which no other one of this class is raised, seconds.
        confirm_s: time within which motion cancels the alarm, seconds; 0 for no confirmation.
        settle_s: time before it in which motion does not count, such as that of the impact, seconds.
        motion: acceleration's standard deviation, over all axes, above which the wearer moves, m/s^2.
        still: share of ``confirm_s`` that must pass without motion.
        posture_deg: angle to the direction of gravity before the event from which on the wearer lies, so that motion
            below four times ``motion`` does not count; None if posture is not looked at.

    Raises:
        SetupError: if a value is out of its range.

    >>> EventRule("fall", threshold=0.8, confirm_s=10).delay_s
    12.0
    """

    label: str
    threshold: float = 0.7
    windows: int = 1
    refractory_s: float = 30.0
    confirm_s: float = 0.0
    settle_s: float = 2.0
    motion: float = 1.0
    still: float = 0.75
    posture_deg: float | None = None

    def __post_init__(self) -> None:
        self._check("threshold", 0 < self.threshold <= 1, "a probability above 0, 1 at most")
        self._check("windows", 1 <= self.windows <= 1000, "1 to 1000 windows")
        for name in ("refractory_s", "confirm_s", "settle_s"):
            self._check(name, 0 <= getattr(self, name) <= 86_400, "0 to 86400 seconds")
        self._check("motion", 0 < self.motion < math.inf, "m/s^2 above 0")
        self._check("still", 0 < self.still <= 1, "a share above 0, 1 at most")
        self._check(
            "posture_deg", self.posture_deg is None or 0 < self.posture_deg <= 180, "degrees above 0, 180 at most"
        )

    @property
    def delay_s(self) -> float:
        """Time from suspicion to alarm, seconds."""
        return self.settle_s + self.confirm_s if self.confirm_s else 0.0

    @classmethod
    def from_dict(cls, content: Any) -> EventRule:
        """A rule from plain JSON values, all of its fields by name.

        Raises:
            ValueError: if a key is missing, unknown, or of another type.
            SetupError: if a value is out of its range.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(content, dict) or sorted(content) != sorted(names):
            raise ValueError(f"an event has not the settings {', '.join(names)}")
        numbers = {name: value for name, value in content.items() if name != "label"}
        for name, value in numbers.items():
            right = isinstance(value, int | float) and not isinstance(value, bool)
            whole = name != "windows" or isinstance(value, int)
            if not (right and whole) and (name, value) != ("posture_deg", None):
                raise ValueError(f"event: {name} is {value!r}")
        if not isinstance(content["label"], str):
            raise ValueError("event: label is no name")
        return cls(content["label"], **numbers)

    def _check(self, name: str, right: bool, expected: str) -> None:
        if not right:
            raise SetupError(
                f"event {self.label}: {name}",
                found=getattr(self, name),
                expected=expected,
                next_step="choose another value",
            )
