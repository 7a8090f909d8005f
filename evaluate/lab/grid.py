"""Cells of the distillation lab: every kind of distillation with every stem."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from deseptr.contract import ModelError
from deseptr.train.config import DISTILLATION_NAMES, STEM_NAMES, TrainConfig

VARIED = ("distillation", "temperature", "stem", "seed")
"""Fields of ``TrainConfig`` that the grid varies."""


@dataclass(frozen=True)
class Cell:
    """Settings of a student's training, for any seed.

    Args:
        distillation: ``"none"``, ``"soft"`` or ``"hard"``.
        stem: ``"shared-tuned"``, ``"shared-frozen"`` or ``"own"``.
        temperature: temperature of soft distillation; 1 for the others.
    """

    distillation: str
    stem: str
    temperature: float = 1.0

    @property
    def method(self) -> str:
        """The distillation as text, with the temperature if it is not 1."""
        return self.distillation + (f" T={self.temperature:g}" if self.temperature != 1 else "")

    @property
    def folder(self) -> str:
        """Name of the cell's folder."""
        return f"{self.method}-{self.stem}".replace(" T=", "-t")

    @property
    def needs_teacher(self) -> bool:
        """Whether it uses a teacher."""
        return self.distillation != "none" or self.stem != "own"

    def config(self, config: TrainConfig, seed: int) -> TrainConfig:
        """Settings of the training for a seed; all others as in ``config``."""
        return replace(config, **asdict(self), seed=seed)


@dataclass(frozen=True)
class Grid:
    """The levels of each factor.

    Args:
        distillations: some of ``DISTILLATION_NAMES``.
        stems: some of ``STEM_NAMES``.
        temperatures: temperatures of soft distillation.
        seeds: training seeds; each seed has its own teacher, which all its cells share.

    Raises:
        ModelError: if a factor has no level, or an unknown one.
    """

    distillations: tuple[str, ...] = DISTILLATION_NAMES
    stems: tuple[str, ...] = STEM_NAMES
    temperatures: tuple[float, ...] = (1.0,)
    seeds: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        known = {"distillations": DISTILLATION_NAMES, "stems": STEM_NAMES}
        for name, levels in asdict(self).items():
            unknown = [level for level in levels if level not in known.get(name, levels)]
            if unknown or not levels:
                raise ModelError(
                    name,
                    found=", ".join(unknown) or "none",
                    expected=f"some of {', '.join(known[name])}" if name in known else "at least one",
                    next_step="choose from these" if name in known else "give one",
                )

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells: none, then soft by increasing temperature, then hard; stems in the order of :data:`STEM_NAMES`."""
        methods = [
            (distillation, temperature)
            for distillation in DISTILLATION_NAMES
            if distillation in self.distillations
            for temperature in (sorted(set(self.temperatures)) if distillation == "soft" else (1.0,))
        ]
        stems = [stem for stem in STEM_NAMES if stem in self.stems]
        return tuple(Cell(method, stem, temperature) for method, temperature in methods for stem in stems)

    def to_dict(self) -> dict[str, Any]:
        """The levels as plain JSON values."""
        return {name: list(levels) for name, levels in asdict(self).items()}
