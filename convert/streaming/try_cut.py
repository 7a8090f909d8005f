"""The cut of a converted graph with its verification, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from deseptr.contract import ModelContract, ModelError
from deseptr.convert.micro.columns import differing_windows
from deseptr.convert.micro.runtime import Arena, measure_arena
from deseptr.convert.micro.source import resolver_ops
from deseptr.convert.recipe import Recipe
from deseptr.tflite import StreamingGraphs
from deseptr.tflite.graph import read_graph
from deseptr.tflite.installed_engines import engines_here
from deseptr.train.run_folder import evenly

from .bit_gate import BitComparison, Windows, compare_bits
from .cut import NoCutError, cut_graph

_INTEGER = ("int8", "int16x8")
_MICRO_WINDOWS = 100


@dataclass(frozen=True)
class StreamingCut:
    """What became of the cut into columns.

    Args:
        graphs: column and time graph; None if the file has none.
        reason: why it has none; empty if it has.
        comparisons: with whole windows, on each engine.
        arenas: memory that TensorFlow Lite Micro needs for ``column`` and ``time``; empty for other targets.
    """

    graphs: StreamingGraphs | None = None
    reason: str = ""
    comparisons: tuple[BitComparison, ...] = ()
    arenas: Mapping[str, Arena] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain JSON values."""
        found: dict[str, Any] = {
            "written": self.graphs is not None,
            "reason": self.reason or None,
            "bit_gate": [asdict(comparison) for comparison in self.comparisons],
        }
        if self.graphs is not None:
            streaming = self.graphs.streaming
            for name in ("column_length", "column_stride", "columns"):
                found[name] = getattr(streaming, name)
            for name, content in (("column", self.graphs.column), ("time", self.graphs.time)):
                graph = read_graph(content)
                found[name] = {"bytes": len(content), "nodes": len(graph.nodes), "macs": graph.macs}
                if name in self.arenas:
                    found[name] |= {"arena": asdict(self.arenas[name]), "resolver_ops": list(resolver_ops(graph))}
        return found


def try_cut(flatbuffer: bytes, contract: ModelContract, recipe: Recipe, windows: Windows) -> StreamingCut:
    """Cut a graph into columns, and keep the cut if it gives the bits of whole windows on every engine here.

    Args:
        flatbuffer: the converted graph.
        contract: of the model.
        recipe: with which it was converted.
        windows: ``[n, input_length, channels]`` held-out windows.
    """
    if recipe.mode not in _INTEGER or recipe.float_layers:
        return StreamingCut(reason="sums of floats may depend on the number of columns; it takes full int8 or int16x8")
    if recipe.target == "coral":
        return StreamingCut(reason="an Edge TPU runs whole windows")
    try:
        graphs = cut_graph(flatbuffer)
        comparisons = compare_bits(engines_here(), flatbuffer, graphs, contract, windows)
        if _is_micro(recipe):
            comparisons += (_on_micro(flatbuffer, graphs, contract, windows),)
    except NoCutError as error:
        return StreamingCut(reason=str(error))
    except ModelError as error:
        return StreamingCut(reason=f"{error.thing}: {error.found}")
    failed = [each for each in comparisons if each.differing]
    if failed or not comparisons:
        differing = "; ".join(f"{each.engine}: {each.differing} of {each.windows} windows differ" for each in failed)
        return StreamingCut(reason=differing or "no engine here runs the graph", comparisons=comparisons)
    parts = {"column": graphs.column, "time": graphs.time} if _is_micro(recipe) else {}
    arenas = {name: measure_arena(content) for name, content in parts.items()}
    return StreamingCut(graphs, comparisons=comparisons, arenas=arenas)


def _is_micro(recipe: Recipe) -> bool:
    return recipe.target == "micro" and recipe.mode == "int8"


def _on_micro(flatbuffer: bytes, graphs: StreamingGraphs, contract: ModelContract, windows: Windows) -> BitComparison:
    drawn = windows[evenly(len(windows), _MICRO_WINDOWS)]
    differing = differing_windows(flatbuffer, graphs, contract, drawn)
    return BitComparison("TensorFlow Lite Micro", len(drawn), differing)
