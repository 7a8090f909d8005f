"""Summary of the distillation lab: figures of every cell at every head, and the effects between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deseptr.data import FoldProtocol
from deseptr.evaluate.crossval_summary import commits_of, versions_of
from deseptr.evaluate.fold_job import FoldResult
from deseptr.train.config import TrainConfig

from .effects import effects
from .grid import VARIED, Cell, Grid
from .variants import Variant, student_variants, teacher_variant


@dataclass(frozen=True)
class Results:
    """Complete results of a grid.

    Args:
        teachers: results by seed.
        cells: results by cell and seed.
    """

    teachers: Mapping[int, FoldResult]
    cells: Mapping[tuple[Cell, int], FoldResult]

    def variants(self) -> list[Variant]:
        """The teacher, if there is one, and each cell at each head."""
        variants = [teacher_variant(self.teachers)] if self.teachers else []
        for cell in dict.fromkeys(cell for cell, _ in self.cells):
            variants += student_variants(cell, {seed: result for (c, seed), result in self.cells.items() if c == cell})
        return variants


def summarise(
    results: Results, grid: Grid, config: TrainConfig, protocol: FoldProtocol, dataset: str, command: str = ""
) -> dict[str, Any]:
    """Figures of finished cells as plain JSON values.

    Args:
        results: at least one complete cell.
        grid: the requested grid.
        config: settings that no cell varies.
        protocol: protocol with one fold.
        dataset: name of the dataset.
        command: command line to record.
    """
    finished = [*results.teachers.values(), *results.cells.values()]
    first = next(iter(results.cells.values()))
    variants = results.variants()
    return {
        "command": command,
        "dataset": dataset,
        "data": first.job.data,
        "protocol": protocol.to_dict(),
        "grid": grid.to_dict(),
        "finished": len(results.cells),
        "wanted": len(grid.cells) * len(grid.seeds),
        "model": first.figures["model"],
        "head": config.prediction,
        "subjects": {str(s): r.figures["subjects"] for (_, s), r in results.cells.items()},
        "windows": {str(s): r.figures["windows"] for (_, s), r in results.cells.items()},
        "rows": [variant.figures() for variant in variants],
        "effects": effects(variants, config.prediction),
        "minutes": round(sum(result.figures["minutes"] for result in finished), 2),
        "config": {name: _plain(value) for name, value in asdict(config).items() if name not in VARIED},
        "versions": versions_of(finished),
        "commits": commits_of(finished),
        "machine": first.figures["machine"],
    }


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    return list(value) if isinstance(value, tuple) else value
