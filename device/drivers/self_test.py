"""Result of a chip's self-test: how far an electrostatic force moves its mass, against the datasheet's limits."""

from __future__ import annotations

from dataclasses import dataclass

Limits = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Change of an accelerometer's output in its self-test.

    Args:
        change_g: change on each axis in g.
        limits_g: smallest and largest change of a chip in good order, by axis.

    >>> SelfTest((1.0, -1.0), ((0.2, 2.1), (-2.1, -0.2))).passed
    True
    """

    change_g: tuple[float, ...]
    limits_g: Limits

    @property
    def passed(self) -> bool:
        """Whether the change of every axis is within its limits."""
        return all(low <= change <= high for change, (low, high) in zip(self.change_g, self.limits_g, strict=True))
