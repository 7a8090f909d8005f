"""Figures of an earlier count, to hold those of a model against: what its change costs the processor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError

from .cost import UNIT, ArmCost, ArmCosts


@dataclass(frozen=True, slots=True)
class Change:
    """A figure beside that of the baseline.

    Args:
        cost: the figure.
        before: instructions in the baseline.
    """

    cost: ArmCost
    before: int

    @property
    def share(self) -> float:
        """By how much it is more, as a share of what it was; negative if it is less."""
        return self.cost.instructions / self.before - 1

    def exceeds(self, tolerance: float) -> bool:
        """Whether it is more by over ``tolerance``, a share."""
        return self.share > tolerance

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready figures."""
        return {
            "model": self.cost.model,
            "cpu": self.cost.cpu,
            "before": self.before,
            "instructions": self.cost.instructions,
            "percent_more": 100 * self.share,
        }


@dataclass(frozen=True, slots=True)
class Baseline:
    """What ``deseptr firmware arm-cost --json`` printed once.

    Args:
        path: where it is from.
        software: versions of what ran then.
        instructions: by name of the model's file, without folders, and processor.
    """

    path: Path
    software: Mapping[str, str]
    instructions: Mapping[tuple[str, str], int]

    def check(self, models: tuple[Path, ...], cpus: tuple[str, ...]) -> None:
        """See to it that there is a figure for each, before minutes go into counting.

        Raises:
            SetupError: if there is none of one of them.
        """
        for model in models:
            for cpu in cpus:
                if (model.name, cpu) not in self.instructions:
                    raise SetupError(
                        self.path,
                        found=f"no figure of {model.name} on {cpu}",
                        expected=f"one; it has {self._names()}",
                        next_step="count with --json what the model was before, under the same file name",
                    )

    def changes(self, costs: ArmCosts) -> list[Change]:
        """Each figure beside what it was; the models must have been checked."""
        return [Change(cost, self.instructions[Path(cost.model).name, cost.cpu]) for cost in costs.costs]

    def other_software(self, costs: ArmCosts) -> list[str]:
        """What runs in another version than then, one line each; a difference may be from that."""
        return [
            f"{name} was {self.software.get(name, 'not there')} and is {version}"
            for name, version in costs.software.items()
            if self.software.get(name) != version
        ]

    def _names(self) -> str:
        return ", ".join(f"{name} on {cpu}" for name, cpu in self.instructions) or "none at all"


def read_baseline(path: Path) -> Baseline:
    """The figures that a file holds.

    Raises:
        SetupError: if it cannot be read, or is not of this command.
    """
    try:
        return _parse(path, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        found = error.strerror or str(error)
    except (KeyError, TypeError, ValueError, AttributeError):
        found = "something else"
    raise SetupError(
        path,
        found=found,
        expected="figures as `deseptr firmware arm-cost --json` prints them",
        next_step="make it with `deseptr firmware arm-cost MODEL.tflite --json > FILE`",
    )


def _parse(path: Path, content: Any) -> Baseline:
    if content["unit"] != UNIT:
        raise ValueError
    instructions = {
        (Path(cost["model"]).name, str(cost["cpu"])): int(cost["instructions"]) for cost in content["costs"]
    }
    if not all(count > 0 for count in instructions.values()):
        raise ValueError
    return Baseline(path, {str(name): str(value) for name, value in content["software"].items()}, instructions)
