"""The page of a conversion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from deseptr.contract.counts import counted
from deseptr.evaluate.compare import observe_machine

from . import conversion_tables as tables, html
from .attention_form import attention_form
from .html.blocks import Block
from .html.confusion import Matrix, matrix_block
from .missed_classes import missed_classes

if TYPE_CHECKING:
    from deseptr.convert import Conversion
    from deseptr.convert.parity import Parity
    from deseptr.tflite.op_times import OpTimes

_ROUNDS = 200
# A table shows F1 with four decimals, in points two.
_SHOWN_POINTS = 0.005
_NAMED_STEPS = 6
_LARGEST_LAYERS = 20
_PARITY = (
    "Every engine names a class for held-out windows, and so does the float checkpoint. The interval of the agreement "
    "is Wilson's, as if windows were independent; differences are the engine's score less the checkpoint's, with a "
    "paired bootstrap over {resampled}. The first engine with the converted model decides."
)
_TIMES = (
    "An operation's time is the difference between the graph that ends with it and the one that ends before it, from "
    "medians of {rounds} interleaved rounds, made monotone by pooling; the first includes the cost of a call. An "
    "operation that the runtime fuses with its predecessor takes no time; one that leaves XNNPACK's kernels includes "
    "that cost."
)
_SQNR = (
    "Signal to quantisation noise ratio against the float graph on the same windows: accumulated, with the error of "
    "every layer before it, and its own, of the layer alone on the float graph's values. {mark} 1 to {mark} {count} "
    "lose most by themselves; layers that only move values are not among them. What is beyond the frame is exact or "
    "nearly so."
)
_CONSTANTS = (
    "{whole:,} of {size:,} bytes are weights and other constants; the rest is the graph's structure, the quantisation "
    "of its tensors and the contract."
)


def convert_page(result: Conversion, origin: html.Origin | None = None) -> str:
    """The conversion as one self-contained HTML file; times its operations on this machine.

    Raises:
        ModelError: if the runtime cannot run the model.
        SetupError: if there is no TFLite runtime.
    """
    from deseptr.tflite.op_times import op_times

    machine = observe_machine()
    return page_of(result, op_times(result.content, _ROUNDS), machine, origin)


def page_of(result: Conversion, times: OpTimes, machine: dict[str, Any], origin: html.Origin | None = None) -> str:
    """The page, for operations that have been timed.

    Args:
        result: the conversion.
        times: times of its operations.
        machine: the machine of the timing, as :func:`~deseptr.evaluate.compare.observe_machine` returned it.
        origin: what made the page.
    """
    facts = result.to_dict()
    sections = {
        "Result": _result(result),
        "Parity": _parity(result),
        "Classes and subjects": _scores(result),
        "Time by operation": _times(result, times, machine),
        "Size by layer": _sizes(result, facts),
        "Noise by layer": _noise(result),
        "Form of attention": (html.paragraph(sentence) for sentence in attention_form(result.graph)),
        "Lint": _lint(result),
        "TensorFlow Lite Micro": _micro(result, facts),
        "Edge TPU": _edgetpu(result),
        "What made it": [html.facts(tables.origins_rows(facts))],
        "Contract": [html.facts(tables.contract_rows(facts["contract"]))],
    }
    shown = [html.Section(title, blocks) for title, each in sections.items() if (blocks := list(each))]
    size = f"{len(result.content) / 1024:.1f} KB"
    note = f"{result.path.name}: {size}, {tables.describe_types(result)}, for {result.kept.recipe.target}."
    title = f"deseptr: {result.contract.model} converted"
    return html.render_page(title, convert_answer(result), shown, note=note, origin=origin)


def convert_answer(result: Conversion) -> html.Answer:
    """Whether the gate is passed, and the agreement; against it the class that lost most, and warnings."""
    parity, count = result.kept.deciding, len(result.attempts)
    if result.passed:
        after = f" at attempt {count}" if count > 1 else ""
        same = f"names the class of the checkpoint on {parity.agreement:.2%} of {parity.windows:,} held-out windows"
        size = f"takes {len(result.content) / 1024:.1f} KB"
        text = f"The {tables.describe_types(result)} model {same} and {size}; it passed the gate{after}."
    else:
        kept = "written by force" if result.written else "not written"
        text = f"Failed the gate, {kept}: {'; '.join(result.kept.failures)}."
    missed = (f"{line}." for line in missed_classes(parity.scores.to_dict()))
    return html.Answer(text, [*_lost(parity), *missed, *(f"Warning: {warning}" for warning in _other_warnings(result))])


def _lost(parity: Parity) -> Iterator[str]:
    """The class whose F1 fell most, if one fell by what a table shows, and whether intervals are of people."""
    before, after = parity.reference.per_class_f1, parity.scores.per_class_f1
    points = {
        label: 100 * (one - other)
        for label in parity.scores.labels
        if (one := before[label]) is not None and (other := after[label]) is not None
    }
    worst = max(points, key=points.__getitem__, default=None)
    if worst is not None and points[worst] >= _SHOWN_POINTS:
        yield f"F1 of {worst} fell by {points[worst]:.2f} points, the most of all classes."
    if parity.resampled == "windows":
        yield "The held-out windows are of one person: the intervals do not extend to others."


def _result(result: Conversion) -> Iterator[Block]:
    parity = result.kept.deciding
    yield html.facts(tables.facts_rows(result))
    yield html.table(*tables.scores_table(parity), caption="On the held-out windows")
    yield html.table(
        *tables.attempts_table(result.attempts, result.broken_attempts), caption="Attempts; the last one was kept"
    )


def _other_warnings(result: Conversion) -> list[str]:
    """Warnings that are not part of the verdict."""
    return [w for w in result.warnings if not any(w.endswith(failure) for failure in result.kept.failures)]


def _parity(result: Conversion) -> Iterator[Block]:
    kept = result.kept
    yield html.paragraph(_PARITY.format(resampled=kept.deciding.resampled))
    yield html.table(*tables.parity_table(kept.parities))
    yield from (html.paragraph(f"Not run: {engine}: {reason}") for engine, reason in kept.not_run.items())


def _scores(result: Conversion) -> Iterator[Block]:
    parity = result.kept.deciding
    sides = {"Float checkpoint": parity.reference, f"Converted, {parity.candidate}": parity.scores}
    for number, (name, scores) in enumerate(sides.items()):
        yield matrix_block(Matrix(f"confusion-{number}", scores.labels, scores.confusion.tolist(), caption=name))
    of_subjects = {"checkpoint": parity.reference.per_subject_f1, "converted": parity.scores.per_subject_f1}
    if len(parity.scores.per_subject_f1) > 1:
        svg = html.pairs_figure(of_subjects, "subject", "macro-F1")
        yield html.figure(svg, "Macro-F1 of each subject's windows")


def _times(result: Conversion, times: OpTimes, machine: dict[str, Any]) -> Iterator[Block]:
    if machine["emulated"]:
        yield html.verdict("EMULATED processor: these are not times of a real one.", good=False)
    yield html.paragraph(f"{_measured_on(times, machine)} {_TIMES.format(rounds=times.rounds)}")
    if times.skipped:
        yield html.paragraph(f"Not timed, and counted with the next: {'; '.join(times.skipped)}")
    yield html.table(*tables.ops_table(result, times))
    bars = [html.Bar(op, share, f"{share:.1%}") for op, share in times.share_by_op.items()]
    yield html.figure(html.bars_figure(bars, "share of time"), "Share of time of each kind of operation")
    named = {index: times.nodes[index].op for index in tables.slowest(times, _NAMED_STEPS)}
    measured, own = [node.cumulative_us for node in times.nodes], [node.own_us for node in times.nodes]
    svg = html.cumulative_figure(measured, own, named)
    yield html.figure(svg, f"Time up to each operation; the {len(named)} that take longest are named")
    yield html.table(*tables.slowest_table(times), caption="The operations that take longest")


def _measured_on(times: OpTimes, machine: dict[str, Any]) -> str:
    threads = counted(times.threads, "thread")
    load = "" if machine["load_average"] is None else f", load {machine['load_average']:.1f} beforehand"
    where = f"{machine['cpu']} ({machine['processors']} processors{load}), {machine['board'] or machine['platform']}"
    how = f"{times.runtime}, {times.kernels} kernels, {threads}"
    whole = f"{times.invoke_us:.0f} µs, measured on the machine that made this page and valid for it only"
    return f"An invocation takes {whole}: {where}; {how}."


def _sizes(result: Conversion, facts: dict[str, Any]) -> Iterator[Block]:
    sizes = [
        (each["bytes"], tables.numbered(index, each["op"], each["layer"]))
        for index, each in enumerate(facts["layer_sizes"])
    ]
    held = sorted((pair for pair in sizes if pair[0]), key=lambda pair: -pair[0])
    if rest := held[_LARGEST_LAYERS:]:
        held[_LARGEST_LAYERS:] = [(sum(size for size, _ in rest), counted(len(rest), "other"))]
    yield html.paragraph(_CONSTANTS.format(whole=sum(size for size, _ in held), size=len(result.content)))
    if held:
        bars = [html.Bar(name, size / 1024, f"{size:,}") for size, name in held]
        data = ["operation", "bytes"], [[name, str(size)] for size, name in held]
        yield html.figure(
            html.bars_figure(bars, "KB", width=9.8), "Constants that each operation reads, in bytes", data
        )


def _noise(result: Conversion) -> Iterator[Block]:
    layers, worst = result.kept.layers, result.kept.worst
    if not layers:
        return
    yield html.paragraph(_SQNR.format(mark=tables.MARK, count=len(worst)))
    marked = [index for index, layer in enumerate(layers) if layer in worst]
    svg = html.sqnr_figure([each.sqnr_db for each in layers], [each.own_sqnr_db for each in layers], marked)
    yield html.figure(svg, "SQNR by layer; circles: the worst by themselves, with their numbers")
    yield html.table(*tables.sqnr_table(layers, worst), caption="Layers in order of execution")


def _lint(result: Conversion) -> Iterator[Block]:
    yield html.facts(tables.lint_rows(result))
    head, rows = tables.findings_table(result)
    if rows:
        yield html.table(head, rows)


def _micro(result: Conversion, facts: dict[str, Any]) -> Iterator[Block]:
    rows = tables.arena_rows(result)
    if rows:
        yield html.paragraph(
            "Measured on a 64-bit machine with the reference kernels: a 32-bit core needs less, optimised kernels need "
            "additional scratch memory."
        )
        yield html.facts(rows)
        yield html.paragraph(f"Operations to register: {', '.join(facts['resolver_ops'] or ())}.")


def _edgetpu(result: Conversion) -> Iterator[Block]:
    rows = tables.edgetpu_rows(result)
    if not rows:
        return
    yield html.facts(rows)
    if result.edgetpu:
        statuses = [[row.op, str(row.count), row.status] for row in result.edgetpu.table]
        yield html.table(["operation", "count", "status"], statuses, caption="Report of the compiler")
