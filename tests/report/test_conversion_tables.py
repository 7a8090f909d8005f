"""The tables of a conversion, cell by cell, from figures written here by hand; nothing is converted."""

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import InputViews, Interval, ModelContract, Scores
from deseptr.convert.conversion import Conversion
from deseptr.convert.edgetpu import EdgeTpuReport, OperatorStatus
from deseptr.convert.lint import Lint, LintFinding
from deseptr.convert.micro.source import Arena
from deseptr.convert.parity import Difference, Gate, LogitError, Parity
from deseptr.convert.recipe import Recipe
from deseptr.convert.sqnr import LayerSqnr
from deseptr.convert.try_recipe import Attempt
from deseptr.report.conversion_tables import (
    arena_rows,
    attempts_table,
    contract_rows,
    describe_types,
    edgetpu_rows,
    facts_rows,
    findings_table,
    input_rows,
    lint_rows,
    numbered,
    ops_table,
    origins_rows,
    parity_table,
    scores_table,
    short,
    slowest_table,
    sqnr_table,
)
from deseptr.tflite.graph import Graph, Node, Tensor
from deseptr.tflite.op_times import OpTime, OpTimes

INTERVAL = "95\N{NO-BREAK SPACE}% interval"
REFERENCE = Scores(("sit", "walk"), np.array([[600, 0], [400, 1000]]), {})
SCORES = Scores(("sit", "walk"), np.array([[600, 0], [0, 1400]]), {})
PARITY = Parity(
    "int8 on litert",
    0.9875,
    Interval(0.98, 0.99123, 0.95),
    LogitError(0.125, 3.0, 0.5, 2.0),
    REFERENCE,
    SCORES,
    Difference(0.2, Interval(-0.0012, 0.25, 0.95)),
    Difference(-0.015, None),
    "subjects",
)
LINT = Lint("pi", "int8", 12, {"CONV_2D": 12}, ("SOFTMAX a;b", "CUSTOM(c;d"), 3, 4, 1_234_567, ())
ATTEMPT = Attempt(Recipe(), None, LINT, (PARITY, PARITY), {}, (), ())  # type: ignore[arg-type]


def converted(recipe: Recipe | None = None, attempt: dict[str, Any] | None = None, **changes: Any) -> Conversion:
    kept = replace(ATTEMPT, recipe=recipe or Recipe(), **(attempt or {}))
    made = Conversion(
        Path("out/ours.tflite"),
        Path("runs/ours"),
        bytes(1536),
        ModelContract(labels=("sit", "walk"), model="deseptr"),
        (kept,),
        Gate(),
        (),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(), "full int8"),
        (Recipe(io="float32"), "int8, float32 in and out"),
        (Recipe("int16x8"), "int16x8, int16 in and out"),
        (Recipe("float16"), "float16, float32 in and out"),
        (Recipe(float_layers=("a", "b")), "int8 with 2 layers in float"),
    ],
)
def test_types(recipe: Recipe, said: str):
    assert describe_types(converted(recipe)) == said


def test_facts():
    rows = [
        ["model", "deseptr"],
        ["file", "ours.tflite"],
        ["size", "1.5 KB (1,536 bytes)"],
        ["mode", "int8"],
        ["window and logits", "int8"],
        ["streaming", "whole windows only: not asked for"],
        ["target", "pi"],
        ["gate", "agreement at least 99.00%, 0.50 points of accuracy and macro-F1 lost at most"],
    ]
    assert facts_rows(converted()) == rows
    in_float = converted(Recipe(float_layers=("conv(a;b", "dense")))
    assert facts_rows(in_float) == [*rows, ["layers in float", "conv(a), dense"]]


def test_views_are_encoded_on_the_cpu():
    contract = ModelContract(labels=("sit", "walk"), views=InputViews())
    rows = [
        ["input", "two views of each channel, of the window and the 31 samples before it"],
        ["encoded by", "the CPU, before the graph"],
    ]
    assert input_rows(converted(contract=contract)) == rows
    assert facts_rows(converted(contract=contract))[5:7] == rows
    coral = converted(Recipe(target="coral"), contract=contract)
    assert input_rows(coral)[1] == ["encoded by", "the CPU, before the Edge TPU"]
    assert input_rows(converted()) == []


def test_attempts():
    refused = replace(ATTEMPT, failures=("agreement: found 80 %", "macro-F1: found 3 points below"))
    in_float = replace(ATTEMPT, recipe=Recipe("float16"))
    partly = replace(ATTEMPT, recipe=Recipe(calibration_windows=512, float_layers=("a", "b")))
    assert attempts_table([refused, partly, in_float]) == (
        ["attempt", "calibration windows", "layers in float", "same class", "outcome"],
        [
            ["1", "256", "0", "98.75%", "agreement: found 80 %; macro-F1: found 3 points below"],
            ["2", "512", "2", "98.75%", "passed"],
            ["3", "–", "0", "98.75%", "passed"],
        ],
    )


def test_parity():
    in_logits = replace(PARITY, candidate="float", error=LogitError(None, 0.00312, 0.00012345, 0.002))
    head, rows = parity_table([PARITY, in_logits])
    assert head == [
        *("engine", "windows", "same class", INTERVAL, "logit error, mean", "p99", "max", "unit"),
        *("accuracy, points", INTERVAL, "macro-F1, points", INTERVAL),
    ]
    same = ["+20.00", "-0.12 to +25.00", "-1.50", "–"]
    assert rows == [
        ["int8 on litert", "2,000", "98.75%", "98.00–99.12", "0.50", "2.00", "3.00", "LSB of 0.125", *same],
        ["float", "2,000", "98.75%", "98.00–99.12", "0.000123", "0.002", "0.00312", "logits", *same],
    ]


def test_scores():
    # Of the reference 600 of 1000 called sitting are, and 1000 of 1400 that walk are called so.
    assert scores_table(PARITY) == (
        ["", "checkpoint", "converted"],
        [
            ["accuracy", "0.8000", "1.0000"],
            ["macro-F1", "0.7917", "1.0000"],
            ["F1 sit", "0.750", "1.000"],
            ["F1 walk", "0.833", "1.000"],
        ],
    )


def tensor(index: int, shape: tuple[int, ...], constant: bytes | None = None) -> Tensor:
    return Tensor(index, f"t{index}", "INT8", shape, constant, np.ones(1, np.float32), np.zeros(1, np.int64))


def timed(*own: float | None) -> OpTimes:
    nodes = [OpTime("ADD", f"layer{i};x", 10.0 * i, -1.25 if value else None, value) for i, value in enumerate(own)]
    return OpTimes(tuple(nodes), 99.0, "fake 1", "default", 1, 9)


def test_operations_by_kind():
    dense = Node("FULLY_CONNECTED", 1, (tensor(0, (1, 40)), tensor(1, (50, 40), bytes(2000))), (tensor(2, (1, 50)),))
    add = Node("ADD", 1, (tensor(2, (1, 50)), tensor(2, (1, 50))), (tensor(3, (1, 50)),))
    result = converted()
    vars(result)["graph"] = Graph((dense, dense, add), (tensor(0, (1, 40)),), (tensor(3, (1, 50)),))
    nodes = [
        OpTime(op, op, 1.0, 1.0, own) for op, own in (("FULLY_CONNECTED", 2.0), ("FULLY_CONNECTED", 4.0), ("ADD", 2.0))
    ]
    assert ops_table(result, replace(timed(), nodes=tuple(nodes))) == (
        ["operation", "count", "MACs", "µs", "share of time"],
        [["FULLY_CONNECTED", "2", "4 k", "6.0", "75.0%"], ["ADD", "1", "–", "2.0", "25.0%"]],
    )


def test_slowest_operations():
    assert slowest_table(timed(1.0, 3.0, None, 2.04), count=3) == (
        ["operation", "µs", "difference, as measured", "up to it"],
        [
            ["2 ADD layer1", "3.0", "-1.2", "10.0"],
            ["4 ADD layer3", "2.0", "-1.2", "30.0"],
            ["1 ADD layer0", "1.0", "-1.2", "0.0"],
        ],
    )
    assert slowest_table(timed(1.0, None))[1][1] == ["2 ADD layer1", "–", "–", "10.0"]
    assert len(slowest_table(timed(*[1.0] * 12))[1]) == 10


def test_noise_of_layers():
    layers = [
        LayerSqnr("a;b", "CONV_2D", 31.04, 0.123, 4096, 20.0),
        LayerSqnr("c", "ADD", inf, None, 10, None),
        LayerSqnr("d", "MUL", 12.0, 1.0, 10, 10.0),
    ]
    assert sqnr_table(layers, [layers[2], layers[0]]) == (
        ["layer", "accumulated, dB", "its own, dB", "error, LSB rms", "values", "worst"],
        [
            ["1 CONV_2D a", "31.0", "20.0", "0.12", "4,096", "★ 2"],
            ["2 ADD c", "exact", "–", "–", "10", ""],
            ["3 MUL d", "12.0", "10.0", "1.00", "10", "★ 1"],
        ],
    )


def test_lint():
    rows = [
        ["operations", "12"],
        ["multiply-accumulates", "1,234,567"],
        ["operations that are not int8", "SOFTMAX a, CUSTOM(c)"],
        ["QUANTIZE", "3"],
        ["DEQUANTIZE", "4"],
        ["findings", "none"],
    ]
    assert lint_rows(converted()) == rows
    assert lint_rows(converted(Recipe("float32"))) == rows[:2] + rows[3:]
    finding = LintFinding("no float", "ADD", "a", "FLOAT32", "INT8")
    found = converted(attempt={"lint": replace(LINT, non_int8=(), findings=(finding, finding))})
    assert lint_rows(found)[2:] == [
        ["operations that are not int8", "none"],
        ["QUANTIZE", "3"],
        ["DEQUANTIZE", "4"],
        ["findings", "2"],
    ]
    assert findings_table(found) == (
        ["rule", "operation", "layer", "found", "expected"],
        [["no float", "ADD", "a", "FLOAT32", "INT8"]] * 2,
    )


def test_arena():
    assert arena_rows(converted()) == []
    assert arena_rows(converted(arena=Arena(20_480))) == [["smallest arena", "20,480 bytes"], ["files", "–"]]
    whole = Arena(20_480, 16_000, 4_480, {"variables": 64})
    assert arena_rows(converted(arena=whole, firmware=(Path("m/model.cc"), Path("m/model.h")))) == [
        ["smallest arena", "20,480 bytes"],
        ["of it activations and scratch", "16,000 bytes"],
        ["of it what stays", "4,480 bytes"],
        ["stays: variables", "64 bytes"],
        ["files", "model.cc, model.h"],
    ]


def test_edge_tpu():
    assert edgetpu_rows(converted()) == []
    estimate = {
        "listed_nodes": 10,
        "nodes": 12,
        "listed_share": 0.9876,
        "leading_nodes": 4,
        "leading_share": 0.5,
        "first_unlisted": {"op": "RSQRT", "layer": "norm", "reason": "not on the list"},
    }
    coral = converted(Recipe(target="coral"), {"lint": replace(LINT, edgetpu=estimate)})
    rows = [
        ["operations on the documented list", "10 of 12"],
        ["their multiply-accumulates", "98.8%"],
        ["before the first that is not on it", "4 operations"],
        ["their multiply-accumulates", "50.0%"],
        ["the first that is not on it", "RSQRT norm: not on the list"],
    ]
    assert edgetpu_rows(coral) == [*rows, ["compiled", "no"]]
    table = (OperatorStatus("CONV_2D", 3, "Mapped to Edge TPU"), OperatorStatus("ADD", 2, "Operation not supported"))
    assert edgetpu_rows(replace(coral, edgetpu=EdgeTpuReport("16.0", 1, 1024, 2048, 0, table)))[5:] == [
        ["compiled", "yes"],
        ["compiler", "16.0"],
        ["mapped to the Edge TPU", "3 of 5 operations"],
        ["parameters on the chip", "1,024 bytes, 2,048 bytes left"],
        ["parameters off the chip", "0 bytes"],
    ]
    all_listed = converted(attempt={"lint": replace(LINT, edgetpu={**estimate, "first_unlisted": None})})
    assert edgetpu_rows(all_listed)[4] == ["the first that is not on it", "none"]


def test_origins():
    facts = {
        "recipe": {"mode": "int8", "float_layers": [], "calibration_windows": 256},
        "source": "ours.keras",
        "checkpoint_sha256": None,
        "sha256": "abc",
        "commit": None,
        "versions": {"numpy": "2.4"},
    }
    assert origins_rows(facts) == [
        ["recipe: mode", "int8"],
        ["recipe: float layers", "–"],
        ["recipe: calibration windows", "256"],
        ["checkpoint", "ours.keras"],
        ["SHA-256 of the checkpoint", "–"],
        ["SHA-256 of the file", "abc"],
        ["commit", "–"],
        ["numpy", "2.4"],
    ]
    known = dict(map(tuple, origins_rows({**facts, "checkpoint_sha256": "def", "commit": "0123"})))
    assert (known["SHA-256 of the checkpoint"], known["commit"]) == ("def", "0123")


def test_contract():
    contract = {
        "window_length": 128,
        "labels": ["sit", "walk"],
        "stft": {"frame_length": 16, "bins": 12},
        "empty": {},
        "views": {"history": 31, "thresholds": [123, 4567, 1_020_130]},
    }
    assert contract_rows(contract) == [
        ["window length", "128"],
        ["labels", "sit, walk"],
        ["stft", "frame length 16, bins 12"],
        ["empty", "–"],
        ["views", "history 31, 3 thresholds from 123 to 1,020,130"],
    ]
    assert contract["views"] == {"history": 31, "thresholds": [123, 4567, 1_020_130]}
    assert contract_rows({"views": None, "turned": True}) == [["views", "–"], ["turned", "true"]]


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("a;b", "a"),
        ("a", "a"),
        ("StatefulPartitionedCall(x;y", "StatefulPartitionedCall(x)"),
        ("f(x);g(y)", "f(x)"),
        ("a)", "a)"),
    ],
)
def test_names_of_layers(layer: str, name: str):
    assert short(layer) == name
    assert numbered(0, "ADD", layer) == f"1 ADD {name}"
