"""Tables of a comparison of models, the same in the terminal, on the page and in Markdown."""

from __future__ import annotations

from typing import Any

from deseptr.contract.counts import counted
from deseptr.data.recording import subject_list
from deseptr.evaluate.held_out_subjects import OF_SOME
from deseptr.evaluate.markdown import ENOUGH_PEOPLE, FEW_PEOPLE, NONE, figure, interval_of_people, markdown_table

from .runs_tables import Table, interval_text, si

EXPLANATION = (
    "Latency is that of one invocation, from an array of the model's own input type to its logits, copies into and out "
    "of the runtime included; cutting windows, scaling them to int8 and deciding on a label are not. All models are "
    "timed in one process and interleaved: in each round every model is called twice, in an order drawn anew, and the "
    "second call counts. The ratio is the median over the rounds of a model's time over the first model's in the same "
    "round, with a bootstrap interval over the rounds. MACs and ops are those in the file; runtimes may fuse some. The "
    "interval of macro-F1 is a bootstrap over test subjects; agreement is the share of windows on which a model names "
    "the class that the first one names."
)
_INTERVAL = "95\N{NO-BREAK SPACE}% interval"


def costs_table(content: dict[str, Any]) -> Table:
    """Latency, size and work, one row per model; no arena column if none was measured."""
    models = content["models"]
    arena = any(model["arena_bytes"] is not None for model in models)
    head = ["model", "median µs", "p99 µs", "ratio", _INTERVAL, "size KB", *["arena KB"] * arena, "MACs", "ops"]
    return head, [_costs(model, arena) for model in models]


def scores_table(content: dict[str, Any]) -> Table:
    """Scores, one row per model; no rows if none was scored."""
    models = content["models"]
    scored = any(model["scores"] for model in models)
    head = ["model", "accuracy", "macro-F1", _INTERVAL, "agreement with the first"]
    return head, [_scores(model) for model in models] if scored else []


def ops_table(content: dict[str, Any]) -> Table:
    """Number of each operation in each flatbuffer, sorted by the first model."""
    known = [model for model in content["models"] if model["ops"]]
    ops = dict.fromkeys(op for model in known for op in model["ops"])
    return ["operation", *(m["name"] for m in known)], [[op, *(str(m["ops"].get(op, 0)) for m in known)] for op in ops]


def facts_table(content: dict[str, Any]) -> Table:
    """Conditions of the measurement."""
    machine = content["machine"]
    load = figure(machine["load_average"], ".1f")
    rows = [
        ["machine", machine["board"] or machine["platform"]],
        ["processor", f"{machine['cpu']} ({machine['processors']} of them)" + ", EMULATED" * machine["emulated"]],
        ["load beforehand", f"{load} processes on average over a minute"],
        ["runtimes", ", ".join(dict.fromkeys(model["runtime"] for model in content["models"]))],
        ["kernels of the TFLite runtime", content["kernels"]],
        ["threads of each engine", str(content["threads"])],
        [
            "rounds",
            f"{content['rounds']:,}, after {content['warm_up']} untimed calls of each model; seed {content['seed']}",
        ],
        ["timed on", _inputs(content)],
    ]
    if content["data"]:
        data = content["data"]
        why = f", {data['subjects_are']}" if "subjects_are" in data else ""
        rows.append(["scored on", f"{data['source']}, {subject_list(data['subjects'])}{why}"])
    return ["", ""], rows


def caveats(content: dict[str, Any]) -> list[str]:
    """Notes that are needed to interpret the latencies and the intervals."""
    machine = content["machine"]
    lines = [f"Latencies are those of this machine only ({machine['cpu']})."]
    if machine["emulated"]:
        lines.append("EMULATED processor: these are not latencies of a real one.")
    if machine["load_average"] is not None and machine["load_average"] > 0.5:
        lines.append(
            f"Other work was running (load {machine['load_average']:.1f} on {machine['processors']} processors): "
            "the ratios are affected less than the microseconds; p99 is unreliable."
        )
    if content["threads"] > 1:
        lines.append("With several threads, idle ones of one engine may spin into the next one's turn.")
    people = [len(scores["per_subject_f1"]) for model in content["models"] if (scores := model["scores"])]
    if min(people, default=ENOUGH_PEOPLE) < ENOUGH_PEOPLE:
        lines.append(FEW_PEOPLE)
    if (content.get("data") or {}).get("subjects_are", "").startswith(OF_SOME):
        lines.append("Some models do not remember whom they were trained on: perhaps on the wearers of the scores.")
    return lines


def summary(content: dict[str, Any]) -> str:
    """Conditions of the measurement in a line for the terminal."""
    facts = dict(facts_table(content)[1])
    threads = counted(content["threads"], "thread")
    how = f"{threads}, {content['kernels']} kernels, {counted(content['rounds'], 'round')}"
    return f"{facts['runtimes']}; {how}, on {facts['timed on']}"


def markdown(content: dict[str, Any]) -> str:
    """The comparison as a Markdown page; the distribution is on the HTML page and, as percentiles, in the JSON."""
    lines = ["# Models compared", "", *(f"{line}\n" for line in (*caveats(content), EXPLANATION))]
    tables = {
        "Cost": costs_table(content),
        "Scores": scores_table(content),
        "How it was measured": facts_table(content),
        "Operations": ops_table(content),
    }
    for title, (head, rows) in tables.items():
        if rows:
            lines += [f"## {title}", "", *markdown_table(head, rows), ""]
    return "\n".join(lines)


def _costs(model: dict[str, Any], arena: bool) -> list[str]:
    latency = model["latency"]
    row = [model["name"], f"{latency['median_us']:.1f}", f"{latency['p99_us']:.1f}", f"{latency['ratio']:.3f}"]
    row += [interval_text(latency["interval"]), _kilobytes(model["bytes"])]
    row += [_kilobytes(model["arena_bytes"])] * arena
    return [*row, si(model["macs"]), str(sum(model["ops"].values())) if model["ops"] else NONE]


def _scores(model: dict[str, Any]) -> list[str]:
    scores = model["scores"]
    if scores is None:
        return [model["name"], *[NONE] * 4]
    row = [model["name"], figure(scores["accuracy"]), figure(scores["macro_f1"])]
    interval = interval_of_people(interval_text(scores["macro_f1_interval"]), len(scores["per_subject_f1"]))
    return [*row, interval, figure(scores["agreement"], ".2%")]


def _inputs(content: dict[str, Any]) -> str:
    """Inputs of the models during the timing."""
    kinds = {model["input"] for model in content["models"]}
    if len(kinds) == 1:
        return "real windows" if "windows" in kinds else "noise"
    on_noise = ", ".join(model["name"] for model in content["models"] if model["input"] == "noise")
    return f"real windows; noise for {on_noise}, without a contract"


def _kilobytes(count: int | None) -> str:
    return NONE if count is None else f"{count / 1024:.1f}"
