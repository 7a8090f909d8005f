"""Comparison with the figures of an earlier count: the cost of a change to a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError, read_json

from .cost import UNIT, ArmCost, ArmCosts


@dataclass(frozen=True, slots=True)
class Change:
    """A figure and that of the baseline.

    Args:
        cost: the figure.
        before: instructions in the baseline.
    """

    cost: ArmCost
    before: int

    @property
    def share(self) -> float:
        """Increase as a share of the baseline; negative for a decrease."""
        return self.cost.instructions / self.before - 1

    def exceeds(self, tolerance: float) -> bool:
        """Whether the increase is more than ``tolerance``, a share."""
        return self.share > tolerance

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "model": self.cost.model,
            "cpu": self.cost.cpu,
            "before": self.before,
            "instructions": self.cost.instructions,
            "percent_more": 100 * self.share,
        }


@dataclass(frozen=True, slots=True)
class Baseline:
    """Earlier output of ``deseptr firmware arm-cost --json``.

    Args:
        path: its file.
        software: versions of the software at that time.
        instructions: figures by name of the model's file, without folders, and processor.
    """

    path: Path
    software: Mapping[str, str]
    instructions: Mapping[tuple[str, str], int]

    def check(self, models: tuple[Path, ...], cpus: tuple[str, ...]) -> None:
        """Check that there is a figure for each model on each processor, before counting takes minutes.

        Raises:
            SetupError: if one is missing.
        """
        for model in models:
            for cpu in cpus:
                if (model.name, cpu) not in self.instructions:
                    raise SetupError(
                        self.path,
                        found=f"no figure of {model.name} on {cpu}",
                        expected=f"one; it has {self._names()}",
                        next_step="count the earlier model with --json, under the same file name",
                    )

    def changes(self, costs: ArmCosts) -> list[Change]:
        """Each figure and that of the baseline, which must have been checked."""
        return [Change(cost, self.instructions[Path(cost.model).name, cost.cpu]) for cost in costs.costs]

    def other_software(self, costs: ArmCosts) -> list[str]:
        """Software whose version has changed, one line each, which may explain a difference."""
        return [
            f"{name} was {self.software.get(name, 'absent')} and is {version}"
            for name, version in costs.software.items()
            if self.software.get(name) != version
        ]

    def _names(self) -> str:
        return ", ".join(f"{name} on {cpu}" for name, cpu in self.instructions) or "none at all"


def read_baseline(path: Path) -> Baseline:
    """Read the figures in a file.

    Raises:
        SetupError: if it cannot be read, or is not the output of this command.
    """
    try:
        return _parse(path, read_json(path))
    except OSError as error:
        found = error.strerror or str(error)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        found = "content of another form"
    raise SetupError(
        path,
        found=found,
        expected="the output of `deseptr firmware arm-cost --json`",
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
