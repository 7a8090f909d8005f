"""The tables of a comparison of models, cell by cell, from figures written here by hand."""

from typing import Any

import pytest

from deseptr.report.comparison_tables import (
    caveats,
    costs_table,
    facts_table,
    markdown,
    ops_table,
    scores_table,
    summary,
)

INTERVAL = "95\N{NO-BREAK SPACE}% interval"


@pytest.fixture
def content() -> dict[str, Any]:
    first = {
        "name": "ours",
        "latency": {"median_us": 1234.56, "p99_us": 2000.0, "ratio": 1.0, "interval": None},
        "bytes": 102_400,
        "arena_bytes": 2048,
        "macs": 4_700_000,
        "ops": {"CONV_2D": 3, "ADD": 1},
        "scores": {
            "accuracy": 0.91234,
            "macro_f1": 0.9,
            "macro_f1_interval": {"low": 0.85, "high": 0.95},
            "per_subject_f1": dict.fromkeys(("ada", "ben", "cem", "dora", "eve"), 0.9),
            "agreement": None,
        },
        "input": "windows",
        "runtime": "litert 2",
    }
    second = {
        "name": "bare",
        "latency": {"median_us": 617.28, "p99_us": 1000.04, "ratio": 0.5, "interval": {"low": 0.48, "high": 0.52}},
        "bytes": 512,
        "arena_bytes": None,
        "macs": None,
        "ops": None,
        "scores": None,
        "input": "noise",
        "runtime": "onnxruntime 1",
    }
    return {
        "models": [first, second],
        "machine": {
            "board": None,
            "platform": "Linux",
            "cpu": "Cortex-A76",
            "processors": 4,
            "emulated": False,
            "load_average": 0.5,
        },
        "kernels": "default",
        "threads": 1,
        "rounds": 1000,
        "warm_up": 5,
        "seed": 7,
        "data": {"source": "a.csv", "subjects": ["ada", "eve"]},
    }


def test_costs(content: dict[str, Any]):
    assert costs_table(content) == (
        ["model", "median µs", "p99 µs", "ratio", INTERVAL, "size KB", "arena KB", "MACs", "ops"],
        [
            ["ours", "1234.6", "2000.0", "1.000", "–", "100.0", "2.0", "4.70 M", "4"],
            ["bare", "617.3", "1000.0", "0.500", "0.480–0.520", "0.5", "–", "–", "–"],
        ],
    )
    content["models"][0]["arena_bytes"] = None
    head, rows = costs_table(content)
    assert head[5:] == ["size KB", "MACs", "ops"]
    assert rows[0][5:] == ["100.0", "4.70 M", "4"]


def test_scores(content: dict[str, Any]):
    content["models"][1]["scores"] = {
        "accuracy": None,
        "macro_f1": 0.5,
        "macro_f1_interval": None,
        "per_subject_f1": {"ada": 0.5},
        "agreement": 0.98765,
    }
    assert scores_table(content) == (
        ["model", "accuracy", "macro-F1", INTERVAL, "agreement with the first"],
        [["ours", "0.912", "0.900", "0.850–0.950", "–"], ["bare", "–", "0.500", "–", "98.77%"]],
    )
    content["models"][1]["scores"] = None
    assert scores_table(content)[1][1] == ["bare", "–", "–", "–", "–"]
    content["models"][0]["scores"] = None
    assert scores_table(content)[1] == []


def test_operations_are_those_of_all_models_that_have_a_graph(content: dict[str, Any]):
    assert ops_table(content) == (["operation", "ours"], [["CONV_2D", "3"], ["ADD", "1"]])
    content["models"][1]["ops"] = {"ADD": 2, "MUL": 1}
    assert ops_table(content) == (
        ["operation", "ours", "bare"],
        [["CONV_2D", "3", "0"], ["ADD", "1", "2"], ["MUL", "0", "1"]],
    )


def test_facts(content: dict[str, Any]):
    assert facts_table(content) == (
        ["", ""],
        [
            ["machine", "Linux"],
            ["processor", "Cortex-A76 (4 of them)"],
            ["load beforehand", "0.5 processes on average over a minute"],
            ["runtimes", "litert 2, onnxruntime 1"],
            ["kernels of the TFLite runtime", "default"],
            ["threads of each engine", "1"],
            ["rounds", "1,000, after 5 untimed calls of each model; seed 7"],
            ["timed on", "real windows; noise for bare, without a contract"],
            ["scored on", "a.csv, subjects ada, eve"],
        ],
    )
    content["machine"] |= {"board": "Raspberry Pi 5", "emulated": True, "load_average": None}
    content["models"][1]["runtime"] = "litert 2"
    content["data"] = None
    facts = dict(map(tuple, facts_table(content)[1]))
    assert facts["machine"] == "Raspberry Pi 5"
    assert facts["processor"] == "Cortex-A76 (4 of them), EMULATED"
    assert facts["load beforehand"] == "– processes on average over a minute"
    assert facts["runtimes"] == "litert 2"
    assert "scored on" not in facts


@pytest.mark.parametrize(("inputs", "said"), [(("windows", "windows"), "real windows"), (("noise", "noise"), "noise")])
def test_inputs_of_one_kind(content: dict[str, Any], inputs: tuple[str, str], said: str):
    for model, kind in zip(content["models"], inputs, strict=True):
        model["input"] = kind
    assert dict(map(tuple, facts_table(content)[1]))["timed on"] == said


MACHINE_ONLY = "Latencies are those of this machine only (Cortex-A76)."


@pytest.mark.parametrize("load", [None, 0.0, 0.5])
def test_an_idle_machine_has_one_caveat(content: dict[str, Any], load: float | None):
    content["machine"]["load_average"] = load
    assert caveats(content) == [MACHINE_ONLY]


def test_wearers_whom_a_model_may_have_been_trained_on_are_a_caveat(content: dict[str, Any]):
    content["data"]["subjects_are"] = (
        "held out when some of the models were trained; the others do not remember whom they were trained on (1 of 2)"
    )
    assert caveats(content)[-1] == (
        "Some models do not remember whom they were trained on: perhaps on the wearers of the scores."
    )


def test_caveats(content: dict[str, Any]):
    content["machine"] |= {"emulated": True, "load_average": 0.51}
    content["threads"] = 2
    assert caveats(content) == [
        MACHINE_ONLY,
        "EMULATED processor: these are not latencies of a real one.",
        "Other work was running (load 0.5 on 4 processors): the ratios are affected less than the microseconds; "
        "p99 is unreliable.",
        "With several threads, idle ones of one engine may spin into the next one's turn.",
    ]


def test_an_interval_over_few_people_is_marked(content: dict[str, Any]):
    del content["models"][0]["scores"]["per_subject_f1"]["eve"]
    assert scores_table(content)[1][0][3] == "0.850–0.950 †"
    (_, few) = caveats(content)
    assert few.startswith("† An interval over fewer than five people says next to nothing")


def test_summary(content: dict[str, Any]):
    told = "default kernels, 1,000 rounds, on real windows; noise for bare, without a contract"
    assert summary(content) == f"litert 2, onnxruntime 1; 1 thread, {told}"
    assert summary({**content, "threads": 4}) == f"litert 2, onnxruntime 1; 4 threads, {told}"


def test_markdown_has_the_tables_in_order(content: dict[str, Any]):
    page = markdown(content)
    assert page.startswith(f"# Models compared\n\n{MACHINE_ONLY}\n\nLatency is that of one invocation")
    headings = [line for line in page.splitlines() if line.startswith("##")]
    assert headings == ["## Cost", "## Scores", "## How it was measured", "## Operations"]
    assert "| ours | 1234.6 | 2000.0 | 1.000 | – | 100.0 | 2.0 | 4.70 M | 4 |\n" in page
    content["models"] = content["models"][1:]
    assert [line for line in markdown(content).splitlines() if line.startswith("##")] == [
        "## Cost",
        "## How it was measured",
    ]
