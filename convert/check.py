"""Whether a checkpoint would convert, and to which operations: without recordings, calibration or parity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import ConversionError
from deseptr.tflite.graph import Graph, read_graph

from .converter_process import converted_apart
from .lint import LintFinding, lint
from .quantize import check_here
from .recipe import Recipe
from .targets import TARGETS
from .user_layers import refused_operations, user_layer


@dataclass(frozen=True)
class ConversionCheck:
    """What a conversion would come to, up to the parity with the checkpoint, which needs recordings.

    Args:
        run: the checkpoint.
        recipe: options of the conversion.
        graph: operations that the file would have; None if a layer cannot be rewritten.
        findings: rules of target and mode that the graph breaks.
        layers: class of each layer of a plain Keras model by its name.
        refusal: why it would be refused; None if it would go through.
    """

    run: Path
    recipe: Recipe
    graph: Graph | None
    findings: tuple[LintFinding, ...]
    layers: dict[str, str]
    refusal: ConversionError | None

    @property
    def passed(self) -> bool:
        """Whether nothing but the parity stands in the way."""
        return self.refusal is None

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain JSON values."""
        return {
            "source": self.run.name,
            "recipe": self.recipe.to_dict(),
            "passed": self.passed,
            "refusal": None if self.refusal is None else str(self.refusal),
            "nodes": None if self.graph is None else len(self.graph.nodes),
            "ops": None if self.graph is None else self.graph.ops,
            "macs": None if self.graph is None else self.graph.macs,
            "findings": [
                {**finding._asdict(), "layer": user_layer(finding.layer, self.layers)} for finding in self.findings
            ],
        }


def check_run(run: Path, recipe: Recipe | None = None) -> ConversionCheck:
    """Rewrite and quantise a checkpoint on noise, and lint the result.

    Args:
        run: run folder, or a ``.keras`` or ``.pt2`` file with its contract beside it.
        recipe: options of the conversion; full int8 for a Raspberry Pi by default.

    Raises:
        ModelError: if the run cannot be read.
    """
    recipe = recipe or Recipe()
    target = TARGETS[recipe.target]
    try:
        flatbuffer, reference, layers = converted_apart(check_here, run, recipe)
    except ConversionError as error:
        return ConversionCheck(run, recipe, None, (), {}, error)
    graph = read_graph(flatbuffer, run)
    findings = lint(graph, target, recipe.mode)
    refusal = refused_operations(findings, read_graph(reference, run), target, recipe.mode, run, layers)
    return ConversionCheck(run, recipe, graph, findings, layers, refusal)
