"""A profile as rows of text and figures, for the terminal and for the page.

All rows are made from the JSON of a profile. Under emulation no heading calls a duration a latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Rows = list[list[str]]
PERCENTILES = ("p50", "p95", "p99", "max")
MEANINGS = {
    "read": "drain of the FIFO",
    "resample": "to the model's rate",
    "window": "into the ring",
    "invoke": "the graph",
    "decide": "softmax, label",
    "end_to_end": "read to label",
    "sensor_to_label": "sample to label",
}


def duration_word(content: dict[str, Any]) -> str:
    """The term for durations."""
    return "emulated duration (no latency)" if content["emulated"] else "latency"


def unit(content: dict[str, Any]) -> str:
    """The unit of durations, marked under emulation."""
    return "µs emulated" if content["emulated"] else "µs"


def stages_table(content: dict[str, Any]) -> tuple[list[str], Rows]:
    """One row per stage."""
    rows = [
        [stage, MEANINGS[stage], *(f"{figures[f'{name}_us']:,.1f}" for name in PERCENTILES)]
        for stage, figures in content["stages"].items()
    ]
    return ["stage", "what", *(f"{name} {unit(content)}" for name in PERCENTILES)], rows


def facts_rows(content: dict[str, Any]) -> Rows:
    """All single figures, by name."""
    return [[name, text] for part in (_timeliness, _cost, _start, _energy) for name, text in part(content)]


def _timeliness(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    deadlines, jitter = content["deadlines"], content["jitter"]
    missed, windows = deadlines["missed"], deadlines["windows"]
    share, hop = deadlines["share"], deadlines["hop_ms"]
    yield "labels later than the next hop", f"{missed} of {windows} ({share:.1%}); a hop is {hop:g} ms"
    wakeups, labels = jitter["wakeups"], jitter["labels"]
    if wakeups is not None:
        yield "poll wakes up late by", _jitter(wakeups, content)
    yield "interval between labels is off by", _jitter(labels, content)


def _jitter(figures: dict[str, Any], content: dict[str, Any]) -> str:
    of = unit(content)
    return f"p50 {figures['p50_us']:,.1f}, p99 {figures['p99_us']:,.1f}, max {figures['max_us']:,.1f} {of}"


def _cost(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    cpu, memory = content["cpu"], content["memory"]
    emulated = " emulated" if content["emulated"] else ""
    if cpu["per_hour_s"] is not None:
        more = ", the simulated sensor's included" if cpu["simulation_included"] else ""
        yield "processor time of an hour of wear", f"{cpu['per_hour_s']:.2f} s{emulated}{more}"
    yield "memory of this process", f"{_mib(memory['rss_bytes'])} held, {_mib(memory['peak_rss_bytes'])} at most"


def _start(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    start = content["start"]
    if not start:
        return
    ms = "ms emulated" if content["emulated"] else "ms"
    parts = (
        ("interpreter", "Python"),
        ("import", "imports"),
        ("load", "model"),
        ("first_inference", "first inference"),
    )
    whole = sum(start[f"{key}_ms"] for key, _ in parts)
    told = ", ".join(f"{name} {start[f'{key}_ms']:.1f}" for key, name in parts)
    yield f"cold start, median of {start['repeats']}", f"{whole:.0f} {ms}: {told}"
    yield (
        "memory of a fresh process",
        f"{_mib(start['import_rss_bytes'])} after imports, {_mib(start['loaded_rss_bytes'])} with the model, "
        f"{_mib(start['peak_rss_bytes'])} at most",
    )


def _energy(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    energy = content["energy"]
    if not energy:
        return
    idle, busy, rate = energy["idle_w"], energy["busy_w"], energy["inferences_per_s"]
    yield "power", f"{idle:.3f} W at rest, {busy:.3f} W at {rate:.0f} inferences a second"
    mj, error = energy["mj_per_inference"], energy["mj_error"]
    yield "energy of an inference", f"{mj:.3f} ± {error:.3f} mJ above rest, {energy['readings']} readings of each"
    yield "measured by", f"{energy['source']}; leaves out {energy['leaves_out']}"


def streaming_table(content: dict[str, Any]) -> tuple[list[str], Rows]:
    """Windows whole and by columns; no rows if the run had no columns."""
    of, found = unit(content), content.get("streaming")
    head = ["a window", f"p50 {of}", f"p95 {of}", f"p99 {of}", "s/hour", "ratio"]
    if not found:
        return head, []
    by = f"columns, {found['new_columns']} of {found['columns']} new"
    rows = [
        [
            name,
            *(f"{found[key][f'{percentile}_us']:,.1f}" for percentile in ("p50", "p95", "p99")),
            f"{found[key]['s_per_hour']:.2f}",
            f"{ratio:.2f}",
        ]
        for key, name, ratio in (("whole", "whole", 1.0), ("streamed", by, found["ratio"]))
    ]
    return head, rows


def threads_table(content: dict[str, Any]) -> tuple[list[str], Rows]:
    """One row per number of threads; no rows if none were tried."""
    of = unit(content)
    rows = [
        [
            str(each["threads"]) + (" (more than cores)" if each["oversubscribed"] else ""),
            *(f"{each[f'{name}_us']:,.1f}" for name in ("p50", "p95", "p99")),
            f"{each['speedup']:.2f}",
        ]
        for each in content["threads"] or ()
    ]
    return ["threads", f"p50 {of}", f"p95 {of}", f"p99 {of}", "speedup"], rows


def ops_table(content: dict[str, Any]) -> tuple[list[str], Rows]:
    """One row per operation in order of execution; no rows if they were not timed."""
    ops = content["ops"]
    rows = [
        [str(number), node["op"], layer_name(node, 40), _optional(node["own_us"]), _optional(node["cumulative_us"])]
        for number, node in enumerate(ops["nodes"] if ops else ())
    ]
    of = unit(content)
    return ["#", "operation", "layer", f"own {of}", f"up to it {of}"], rows


def layer_name(node: dict[str, Any], length: int) -> str:
    """The end of the name of an operation's output; fused layers have long names, joined from all of them."""
    name: str = node["layer"].split(";")[0]
    return name[-length:]


def board_table(content: dict[str, Any]) -> tuple[list[str], Rows]:
    """State of the board before and after, as far as it is available."""
    before, after = content["board"]["before"], content["board"]["after"]
    rows = [
        ["temperature", *(_celsius(state["temperature_c"]) for state in (before, after))],
        ["clock", *(_clocks(state["clock_hz"]) for state in (before, after))],
        ["governor", *(state["governor"] or "" for state in (before, after))],
        ["held back now", *(_flags(state["throttled"], "now") for state in (before, after))],
        ["held back since boot", *(_flags(state["throttled"], "since_boot") for state in (before, after))],
        ["power", *(_watts(state["power"]) for state in (before, after))],
    ]
    return ["board", "before", "after"], [row for row in rows if any(row[1:])]


def machine_rows(content: dict[str, Any]) -> Rows:
    """Conditions of the measurement."""
    machine, sensor = content["machine"], content["sensor"]
    sensor_text = f"{sensor['name']} on {sensor['bus']}" + (", simulated" if sensor["simulated"] else "")
    rows = [
        ["processor", machine["cpu"] + (" (EMULATED)" if content["emulated"] else "")],
        ["board", machine["board"] or ""],
        ["system", machine["platform"]],
        ["engine", f"{machine['engine']}, {machine['threads']} thread(s)"],
        ["model", machine["model"]],
        ["sensor", sensor_text],
        ["Python, numpy", f"{machine['python']}, {machine['numpy']}"],
    ]
    return [row for row in rows if row[1]]


def _optional(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _mib(count: float) -> str:
    return f"{count / (1 << 20):.1f} MiB"


def _celsius(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} °C"


def _clocks(clocks: list[int]) -> str:
    """The clock rates without repeats, in MHz."""
    return ", ".join(f"{hz / 1e6:.0f}" for hz in dict.fromkeys(clocks)) + (" MHz" if clocks else "")


def _flags(throttled: dict[str, Any] | None, when: str) -> str:
    return "" if throttled is None else ", ".join(throttled[when]) or "no"


def _watts(power: dict[str, Any] | None) -> str:
    return "" if power is None else f"{power['watts']:.2f} W ({power['source']})"
