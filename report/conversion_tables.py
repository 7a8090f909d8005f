"""Tables of a conversion's page."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from deseptr.contract import Interval
from deseptr.contract.counts import counted
from deseptr.evaluate.markdown import NONE, figure

from .runs_tables import Table, si

if TYPE_CHECKING:
    from deseptr.convert import Conversion
    from deseptr.convert.parity import Difference, Parity
    from deseptr.convert.sqnr import LayerSqnr
    from deseptr.convert.try_recipe import Attempt, BrokenAttempt
    from deseptr.tflite.op_times import OpTimes

_95 = "95\N{NO-BREAK SPACE}% interval"
MARK = "★"


def describe_types(result: Conversion) -> str:
    """Types of a converted graph in a few words."""
    recipe = result.kept.recipe
    if recipe.float_layers:
        return f"{recipe.mode} with {counted(len(recipe.float_layers), 'layer')} in float"
    return "full int8" if recipe.mode == "int8" and recipe.io == "int8" else f"{recipe.mode}, {recipe.io} in and out"


def facts_rows(result: Conversion) -> list[list[str]]:
    """The recipe and the properties of the result."""
    kept, gate = result.kept, result.gate
    recipe, content = kept.recipe, result.content
    limits = f"agreement at least {gate.agreement:.2%}, {100 * gate.loss:.2f} points of accuracy and macro-F1 lost"
    rows = [
        ["model", result.contract.model],
        ["file", result.path.name],
        ["size", f"{len(content) / 1024:.1f} KB ({len(content):,} bytes)"],
        ["mode", recipe.mode],
        ["window and logits", recipe.io],
        *input_rows(result),
        *embedding_rows(result),
        *streaming_rows(result),
        ["target", recipe.target],
        ["gate", f"{limits} at most"],
    ]
    if recipe.float_layers:
        rows.append(["layers in float", ", ".join(map(short, recipe.float_layers))])
    return rows


def input_rows(result: Conversion) -> list[list[str]]:
    """Processing of a window before the graph, if it is more than rounding; else no row."""
    if result.contract.views is None:
        return []
    where = "the CPU, before the Edge TPU" if result.kept.recipe.target == "coral" else "the CPU, before the graph"
    what = f"two views of each channel, of the window and the {result.contract.history} samples before it"
    return [["input", what], ["encoded by", where]]


def embedding_rows(result: Conversion) -> list[list[str]]:
    """Width and noise of the embedding; no row without."""
    width, noise = result.contract.embedding_width, result.kept.deciding.embedding_sqnr_db
    if not width:
        return []
    told = f"; {noise:.0f} dB of signal to quantisation noise" if noise is not None and isfinite(noise) else ""
    return [["embedding", f"{counted(width, 'value')} of what the heads read{told}"]]


def streaming_rows(result: Conversion) -> list[list[str]]:
    """Whether windows that overlap can share columns, and what that saves; else the reason."""
    cut = result.streaming
    if cut.graphs is None:
        return [["streaming", f"whole windows only: {cut.reason}"]]
    streaming, found = cut.graphs.streaming, cut.to_dict()
    share = (found["column"]["macs"] + found["time"]["macs"]) / result.graph.macs
    windows = sum(each.windows for each in cut.comparisons)
    what = f"{streaming.columns} columns of {streaming.column_length} samples, {streaming.column_stride} apart"
    saved = f"a window with one new column takes {share:.0%} of the multiply-accumulates"
    return [["streaming", f"{what}; {saved}; the bits of {windows:,} whole windows on {len(cut.comparisons)} engines"]]


def attempts_table(attempts: Sequence[Attempt], broken: Sequence[BrokenAttempt] = ()) -> Table:
    """All attempts, and why each one failed; those that gave no model come first."""
    rows = [
        [str(number), f"{tried.recipe.calibration_windows}", str(len(tried.recipe.float_layers)), NONE, tried.error]
        for number, tried in enumerate(broken, 1)
    ]
    for number, tried in enumerate(attempts, 1 + len(broken)):
        recipe = tried.recipe
        windows = f"{recipe.calibration_windows}" if recipe.quantised else NONE
        row = [str(number), windows, str(len(recipe.float_layers)), f"{tried.deciding.agreement:.2%}"]
        rows.append([*row, "; ".join(tried.failures) or "passed"])
    return ["attempt", "calibration windows", "layers in float", "same class", "outcome"], rows


def parity_table(parities: Sequence[Parity]) -> Table:
    """Every engine against the checkpoint; logit errors in steps of a quantised output."""
    head = ["engine", "windows", "same class", _95, "logit error, mean", "p99", "max", "unit", "accuracy, points", _95]
    return [*head, "macro-F1, points", _95], [_parity_row(parity) for parity in parities]


def scores_table(parity: Parity) -> Table:
    """Accuracy and F1 of the checkpoint and of the converted model."""
    sides = parity.reference, parity.scores
    rows = [["accuracy", *(f"{side.accuracy:.4f}" for side in sides)]]
    rows.append(["macro-F1", *(f"{side.macro_f1:.4f}" for side in sides)])
    for label in parity.scores.labels:
        rows.append([f"F1 {label}", *(figure(side.per_class_f1[label]) for side in sides)])
    return ["", "checkpoint", "converted"], rows


def ops_table(result: Conversion, times: OpTimes) -> Table:
    """Operations by kind: number, multiply-accumulates and time; the slowest first."""
    nodes, counts = result.graph.nodes, result.graph.ops
    rows = []
    for op, share in times.share_by_op.items():
        macs = sum(node.macs for node in nodes if node.op == op)
        rows.append(
            [op, str(counts[op]), si(macs) if macs else NONE, f"{share * times.monotone_us:.1f}", f"{share:.1%}"]
        )
    return ["operation", "count", "MACs", "µs", "share of time"], rows


def slowest(times: OpTimes, count: int) -> list[int]:
    """Indices of the slowest operations, the slowest first."""
    own = [node.own_us or 0.0 for node in times.nodes]
    return sorted(range(len(own)), key=lambda index: -own[index])[:count]


def slowest_table(times: OpTimes, count: int = 10) -> Table:
    """The slowest operations."""
    rows = []
    for index in slowest(times, count):
        node = times.nodes[index]
        times_us = (node.own_us, node.difference_us, node.cumulative_us)
        rows.append([numbered(index, node.op, node.layer), *(figure(value, ".1f") for value in times_us)])
    return ["operation", "µs", "difference, as measured", "up to it"], rows


def sqnr_table(layers: Sequence[LayerSqnr], worst: Sequence[LayerSqnr]) -> Table:
    """SQNR of every layer in order of execution."""
    rows = []
    for index, layer in enumerate(layers):
        mark = f"{MARK} {worst.index(layer) + 1}" if layer in worst else ""
        row = [numbered(index, layer.op, layer.layer), _decibels(layer.sqnr_db), _decibels(layer.own_sqnr_db)]
        rows.append([*row, figure(layer.lsb_rms, ".2f"), f"{layer.elements:,}", mark])
    return ["layer", "accumulated, dB", "its own, dB", "error, LSB rms", "values", "worst"], rows


def lint_rows(result: Conversion) -> list[list[str]]:
    """Figures of the graph, as counted by the lint."""
    lint, mode = result.kept.lint, result.kept.recipe.mode
    rows = [
        ["operations", str(lint.nodes)],
        ["multiply-accumulates", f"{lint.macs:,}"],
        ["QUANTIZE", str(lint.quantize)],
        ["DEQUANTIZE", str(lint.dequantize)],
        ["findings", str(len(lint.findings)) if lint.findings else "none"],
    ]
    if mode == "int8":
        rows.insert(2, ["operations that are not int8", ", ".join(map(short, lint.non_int8)) or "none"])
    return rows


def findings_table(result: Conversion) -> Table:
    """Findings of the lint, one operation per row."""
    rows = [[f.rule, f.op, f.layer, f.found, f.expected] for f in result.kept.lint.findings]
    return ["rule", "operation", "layer", "found", "expected"], rows


def arena_rows(result: Conversion) -> list[list[str]]:
    """Working memory in TensorFlow Lite Micro; no rows for other targets."""
    arena = result.arena
    if arena is None:
        return []
    rows = [["smallest arena", _bytes(arena.bytes)]]
    if arena.head is not None:
        rows.append(["of it activations and scratch", _bytes(arena.head)])
    if arena.tail is not None:
        rows.append(["of it what stays", _bytes(arena.tail)])
    rows += [[f"stays: {kind}", _bytes(size)] for kind, size in arena.kinds.items()]
    return [*rows, ["files", ", ".join(path.name for path in result.firmware) or NONE]]


def edgetpu_rows(result: Conversion) -> list[list[str]]:
    """Share of an Edge TPU by the documented list and, if it ran, by the compiler; no rows for other targets."""
    estimate, report = result.kept.lint.edgetpu, result.edgetpu
    if estimate is None:
        return []
    first = estimate["first_unlisted"]
    rows = [
        ["operations on the documented list", f"{estimate['listed_nodes']} of {estimate['nodes']}"],
        ["their multiply-accumulates", f"{estimate['listed_share']:.1%}"],
        ["before the first that is not on it", counted(estimate["leading_nodes"], "operation")],
        ["their multiply-accumulates", f"{estimate['leading_share']:.1%}"],
        ["the first that is not on it", f"{first['op']} {first['layer']}: {first['reason']}" if first else "none"],
        ["compiled", "yes" if report else "no"],
        *input_rows(result)[1:],
    ]
    if report:
        rows += [
            ["compiler", report.version],
            ["mapped to the Edge TPU", f"{report.mapped} of {counted(report.operations, 'operation')}"],
            ["parameters on the chip", f"{_bytes(report.on_chip)}, {_bytes(report.on_chip_left)} left"],
            ["parameters off the chip", _bytes(report.off_chip)],
        ]
    return rows


def origins_rows(facts: dict[str, Any]) -> list[list[str]]:
    """Recipe, hashes and versions of the file.

    Args:
        facts: result of ``Conversion.to_dict``.
    """
    rows = [[f"recipe: {name.replace('_', ' ')}", _plain(value)] for name, value in facts["recipe"].items()]
    rows += [
        ["checkpoint", facts["source"]],
        ["SHA-256 of the checkpoint", facts["checkpoint_sha256"] or NONE],
        ["SHA-256 of the file", facts["sha256"]],
        ["commit", facts["commit"] or NONE],
    ]
    return rows + [[name, version] for name, version in facts["versions"].items()]


def contract_rows(contract: dict[str, Any]) -> list[list[str]]:
    """The contract's fields.

    Args:
        contract: the contract as JSON values.
    """
    shown = dict(contract)
    if views := contract.get("views"):
        low, *_, high = views["thresholds"]
        shown["views"] = f"history {views['history']}, {len(views['thresholds'])} thresholds from {low:,} to {high:,}"
    return [[name.replace("_", " "), _plain(value)] for name, value in shown.items()]


def numbered(index: int, op: str, layer: str) -> str:
    """A layer by its position, from 1, its operation and its name."""
    return f"{index + 1} {op} {short(layer)}"


def short(layer: str) -> str:
    """First of the names that the converter joined for a layer."""
    name, _, _ = layer.partition(";")
    return f"{name})" if "(" in name and not name.endswith(")") else name


def _parity_row(parity: Parity) -> list[str]:
    error, agreement = parity.error, parity.agreement_interval
    form = ".3g" if error.lsb is None else ".2f"
    row = [parity.candidate, f"{parity.windows:,}", f"{parity.agreement:.2%}"]
    row.append(f"{100 * agreement.low:.2f}–{100 * agreement.high:.2f}")
    row += [f"{value:{form}}" for value in (error.mean, error.p99, error.maximum)]
    row.append("logits" if error.lsb is None else f"LSB of {error.lsb:.3g}")
    return [*row, *_difference(parity.accuracy), *_difference(parity.macro_f1)]


def _difference(difference: Difference) -> list[str]:
    return [f"{100 * difference.value:+.2f}", _points(difference.interval)]


def _points(interval: Interval | None) -> str:
    return NONE if interval is None else f"{100 * interval.low:+.2f} to {100 * interval.high:+.2f}"


def _decibels(value: float | None) -> str:
    if value is None:
        return NONE
    return "exact" if value == float("inf") else f"{value:.1f}"


def _bytes(count: int) -> str:
    return f"{count:,} bytes"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {inner}" for name, inner in value.items()) or NONE
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value)
