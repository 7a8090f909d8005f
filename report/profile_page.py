"""A profile as one self-contained HTML page, made with the standard library and numpy only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deseptr.contract.counts import counted

from . import profile_tables as tables
from .html.blocks import Block, paragraph
from .html.embedded_svg import figure
from .html.page import Answer, Origin, Section, render_page
from .html.plain_figures import plain_bars, plain_histogram, plain_stack
from .html.tables import facts, table

_PARTS = ("read", "resample", "window", "invoke", "decide")
_WAYS = {"end_to_end": "start of the read to the label", "sensor_to_label": "last sample to the label"}
_LONGEST = 20


def profile_answer(content: dict[str, Any]) -> Answer:
    """How long a window takes and how much of the hop that is; against it the caveats, and labels that came late."""
    figures, deadlines = content["stages"]["end_to_end"], content["deadlines"]
    p50, p99 = (_duration(figures[f"{name}_us"]) for name in ("p50", "p99"))
    share = figures["p99_us"] / deadlines["hop_ms"] / 1000
    emulated = " in emulation" if content["emulated"] else ""
    of_hop = f"at the 99th percentile, {share:.1%} of the hop of {deadlines['hop_ms']:g} ms"
    text = f"From the read to the label, a window takes {p50} at the median and {p99} {of_hop}{emulated}."
    late, windows = deadlines["missed"], deadlines["windows"]
    against = [f"{caveat[0].upper()}{caveat[1:]}." for caveat in content["caveats"]]
    return Answer(
        text, [*against, *([f"{late} of {counted(windows, 'label')} came later than the next hop."] if late else [])]
    )


def profile_page(content: dict[str, Any], model: str, origin: Origin | None = None) -> str:
    """The page.

    Args:
        content: the JSON of a profile.
        model: the file's name.
        origin: what made the page.
    """
    sections = {
        "Stages": _stages(content),
        "From sensor to label": _ways(content),
        "Cost": [facts(tables.facts_rows(content))],
        "Streaming": _streaming(content),
        "Threads": _threads(content),
        "Operations": _ops(content),
        "Board": _board(content),
        "Measured on": [facts(tables.machine_rows(content))],
    }
    shown = [Section(title, blocks) for title, each in sections.items() if (blocks := list(each))]
    kind = "EMULATED: no latencies of a device" if content["emulated"] else "on the machine named below and no other"
    real = "" if content["caveats"] else " A real sensor in real time, on a board that was not held back."
    note = f"{counted(content['deadlines']['windows'], 'window')}, {kind}.{real}"
    return render_page(f"deseptr: profile of {model}", profile_answer(content), shown, note=note, origin=origin)


def _stages(content: dict[str, Any]) -> Iterator[Block]:
    yield table(*tables.stages_table(content), caption=f"{tables.duration_word(content)} of a window")
    rows = {name: {stage: content["stages"][stage][f"{name}_us"] for stage in _PARTS} for name in ("p50", "p95", "p99")}
    yield figure(
        plain_stack(rows, tables.unit(content)),
        "Stages end to end; percentiles of parts do not add up to the percentile of the whole",
    )


def _ways(content: dict[str, Any]) -> Iterator[Block]:
    for stage, words in _WAYS.items():
        histogram, figures = content["histogram"][stage], content["stages"][stage]
        if histogram["counts"]:
            marks = {name: figures[f"{name}_us"] for name in ("p50", "p99")}
            svg = plain_histogram(histogram["edges_us"], histogram["counts"], marks, f"{words}, {tables.unit(content)}")
            last = f"{figures['max_us']:,.0f} {tables.unit(content)}"
            above = counted(histogram["above"], "window lies", "windows lie")
            beyond = f"; {above} beyond, the last at {last}"
            caption = f"Windows by time from {words}{beyond if histogram['above'] else ''}"
            yield figure(svg, caption, _bins(histogram, tables.unit(content)))


def _bins(histogram: dict[str, Any], unit: str) -> tuple[list[str], list[list[str]]]:
    edges = [f"{edge:.1f}" for edge in histogram["edges_us"]]
    bins = zip(edges, edges[1:], map(str, histogram["counts"]), strict=False)
    return [f"from, {unit}", f"to, {unit}", "windows"], [list(each) for each in bins]


def _streaming(content: dict[str, Any]) -> Iterator[Block]:
    head, rows = tables.streaming_table(content)
    if rows:
        yield table(
            head, rows, caption="Samples to logits by columns that windows share, interleaved with whole windows"
        )


def _threads(content: dict[str, Any]) -> Iterator[Block]:
    head, rows = tables.threads_table(content)
    if rows:
        yield table(head, rows, caption="An inference, interleaved")
        bars = [
            (counted(each["threads"], "thread"), each["p50_us"], f"{each['p50_us']:,.1f}")
            for each in content["threads"]
        ]
        yield figure(plain_bars(bars), f"Median of an inference, {tables.unit(content)}")


def _ops(content: dict[str, Any]) -> Iterator[Block]:
    ops = content["ops"]
    if not ops:
        return
    yield paragraph(
        "An operation's time is the difference between the graph that ends with it and the one that ends before it, "
        f"medians of {ops['rounds']} interleaved rounds, made monotone; {ops['runtime']}, {ops['kernels']} kernels."
    )
    shares = [(op, share, f"{share:.1%}") for op, share in ops["share_by_op"].items()]
    yield figure(plain_bars(shares), "Share of the time of each kind of operation")
    nodes = sorted(ops["nodes"], key=lambda node: -(node["own_us"] or 0.0))[:_LONGEST]
    yield figure(
        plain_bars([_op_bar(node) for node in nodes]), f"The operations that take longest, {tables.unit(content)}"
    )
    yield table(*tables.ops_table(content), caption="Operations in order of execution")


def _op_bar(node: dict[str, Any]) -> tuple[str, float, str]:
    own = node["own_us"] or 0.0
    return f"{node['op']} {tables.layer_name(node, 28)}", own, f"{own:,.1f}"


def _board(content: dict[str, Any]) -> Iterator[Block]:
    head, rows = tables.board_table(content)
    if rows:
        yield table(head, rows)


def _duration(us: float) -> str:
    return f"{us / 1000:.1f} ms" if us >= 1000 else f"{us:.0f} µs"
