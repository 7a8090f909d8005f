"""What the page of the lab answers, word by word, from figures written here by hand."""

from typing import Any

import pytest

from deseptr.evaluate.confused_windows import Confused
from deseptr.evaluate.lab.confused_cells import CellConfusion, best_row
from deseptr.report.lab_page import lab_against, lab_answer, lab_page


def row(distillation: str | None, head: str | None, mean: float, **changes: Any) -> dict[str, Any]:
    interval = {"low": mean - 0.012, "high": mean + 0.013}
    return {
        "distillation": distillation,
        "temperature": distillation and 1.0,
        "stem": distillation and "own",
        "head": head,
        "kind": "float",
        "seeds": [0, 1],
        "macro_f1": {"mean": mean, "std": 0.01, "interval": interval},
        "accuracy": {"mean": mean, "std": 0.01},
        **changes,
    }


def effect(low: float, high: float) -> dict[str, Any]:
    difference = {"mean": (low + high) / 2, "std": 0.001, "interval": {"low": low, "high": high}}
    return {"factor": "stem", "contrast": "x − y", "at": "<none>", "seeds": [0, 1], "difference": difference}


@pytest.fixture
def summary() -> dict[str, Any]:
    fold = {"name": "test", "test_subjects": ["1", "2", "3", "4", "5"]}
    return {
        "model": "deseptr",
        "dataset": "hapt",
        "head": "mean",
        "finished": 4,
        "wanted": 4,
        "protocol": {"name": "official", "folds": [fold], "labels": ["sit", "walk"]},
        "windows": {"0": {"training": 9, "validation": 0, "test": 12}},
        "subjects": {"0": {"validation": []}},
        "rows": [
            row(None, None, 0.97),
            row("none", "class", 0.99),
            row("none", "mean", 0.9),
            row("soft", "mean", 0.95, temperature=3.0),
            row("soft", "mean", 0.98, kind="int8"),
        ],
        "effects": [effect(0.001, 0.002), effect(-0.001, 0.002), effect(-0.002, -0.001), effect(0.0, 0.1)],
        "config": {"dim": 48, "validation": 0.2},
        "versions": {"keras": "3"},
        "commits": [],
        "minutes": 12.5,
        "command": "deseptr lab",
    }


def test_the_best_is_of_cells_in_float_at_the_head_that_is_read(summary: dict[str, Any]):
    assert best_row(summary) == summary["rows"][3]
    assert lab_answer(summary) == (
        "Of 2 cells, distillation soft at T=3 with the stem own has the highest macro-F1 at the mean head, 0.950 "
        "(95 % interval 0.938 to 0.963) over 2 seeds; the teacher has 0.970."
    )


def test_a_single_cell_of_one_seed_without_a_teacher(summary: dict[str, Any]):
    alone = row("none", "mean", 0.9, seeds=[0])
    alone["macro_f1"]["interval"] = None
    only = {**summary, "rows": [alone], "effects": []}
    assert lab_answer(only) == (
        "Of 1 cell, distillation none with the stem own has the highest macro-F1 at the mean head, 0.900 over 1 seed."
    )
    assert lab_against(only) == []


def test_cells_that_are_alike_in_three_digits_are_counted(summary: dict[str, Any]):
    tied = {**summary, "rows": [*summary["rows"], row("hard", "mean", 0.9501, seeds=[0])]}
    assert lab_answer(tied).startswith(
        "Of 3 cells, 2 have the highest macro-F1 at the mean head, distillation hard with the stem own among them, "
        "0.950 "
    )


def test_what_speaks_against_it(summary: dict[str, Any]):
    assert lab_against(summary) == [
        "The best is chosen by the test wearers themselves: the highest of several is partly chance.",
        "2 of 4 effects have an interval without zero.",
    ]


def test_few_wearers_and_trainings_that_are_missing(summary: dict[str, Any]):
    summary["protocol"]["folds"][0]["test_subjects"] = ["1"]
    few = {**summary, "finished": 3, "effects": summary["effects"][:1]}
    assert lab_against(few) == [
        "Only 3 of 4 trainings are finished.",
        "Only 1 wearer was tested: others may be unlike all of them.",
        "The best is chosen by the test wearers themselves: the highest of several is partly chance.",
        "1 of 1 effects has an interval without zero.",
    ]


def test_the_page_has_cells_effects_and_matrices(summary: dict[str, Any]):
    counts = [[9, 1], [0, 2]]
    cells = [CellConfusion("soft <own>", counts, Confused(())), CellConfusion("teacher", counts, None)]
    page = lab_page(summary, cells)
    assert "<h1>Distillation lab: deseptr on hapt</h1>" in page
    assert "<caption>soft &lt;own&gt;, 2 seeds pooled: windows, and their share of the true class</caption>" in page
    assert 'id="confusion-1"' in page
    assert "x − y at &lt;none&gt;" in page
    assert "<own>" not in page
    assert "<h2>Effects</h2>" in page
    assert "<h2>Effects</h2>" not in lab_page({**summary, "effects": []}, cells)


def test_the_page_says_how_it_came_about_as_far_as_that_is_known(summary: dict[str, Any]):
    page = lab_page(summary, [])
    for fact in ("<td>deseptr lab</td>", "<td>official, fold test</td>", "<td>1, 2, 3, 4, 5</td>", "<td>12.5</td>"):
        assert fact in page
    assert page.count("<td>unknown</td>") == 1
    assert lab_page({**summary, "command": None}, []).count("<td>unknown</td>") == 2
    assert lab_page({**summary, "commits": ["1f2e3d4"]}, []).count("<td>unknown</td>") == 0


def test_an_effect_has_a_point_and_a_line_if_it_has_an_interval(summary: dict[str, Any]):
    first, *_ = summary["effects"]
    drawn = lab_page({**summary, "effects": [first]}, [])
    bare = {**first, "difference": {**first["difference"], "interval": None}}
    pointed = lab_page({**summary, "effects": [bare]}, [])
    assert drawn.count("<circle") == pointed.count("<circle") == 1
    assert drawn.count("<line") == pointed.count("<line") + 1
