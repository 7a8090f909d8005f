"""What the page of a curve of few labels answers, word by word, from figures written here by hand."""

from typing import Any

import pytest
from self_contained import check_page

from deseptr.report.curve_page import curve_against, curve_answer, curve_page


def point(arm: str, labelled: int | str, mean: float, **changes: Any) -> dict[str, Any]:
    f1 = {"mean": mean, "std": None, "interval": {"low": mean - 0.012, "high": mean + 0.013}}
    return {
        "arm": arm,
        "labelled": labelled,
        "wearers": 6.0 if labelled == "all" else labelled,
        "parameters": 1000,
        "seeds": [0],
        "macro_f1": f1,
        "accuracy": {"mean": mean},
        "over_folds": {"mean": mean},
        **changes,
    }


def difference(low: float, high: float) -> dict[str, Any]:
    f1 = {"mean": (low + high) / 2, "std": None, "interval": {"low": low, "high": high}}
    return {"first": "taught", "second": "alone", "labelled": 3, "seeds": [0], "macro_f1": f1}


@pytest.fixture
def summary() -> dict[str, Any]:
    fold = {"name": "test", "test_subjects": ["1", "2", "3", "4", "5"]}
    return {
        "dataset": "hapt",
        "finished": 4,
        "wanted": 4,
        "arms": {"alone": "student alone", "taught": "student <taught>"},
        "points": [
            point("alone", "all", 0.97),
            point("taught", "all", 0.96),
            point("alone", 3, 0.9),
            point("taught", 3, 0.95),
        ],
        "differences": [difference(0.001, 0.002), difference(-0.001, 0.002), difference(-0.002, -0.001)],
        "protocol": {"name": "official", "folds": [fold]},
        "config": {"model": "deseptr", "dim": 32},
        "versions": {"keras": "3"},
        "commits": [],
        "minutes": 12.5,
        "command": "",
    }


def test_the_best_with_the_fewest_labels_and_with_all(summary: dict[str, Any]):
    assert curve_answer(summary) == (
        "With the labels of 3 wearers, student <taught> has the highest macro-F1, 0.950 (95 % interval 0.938 to "
        "0.963); with all labels, student alone has the highest macro-F1, 0.970 (95 % interval 0.958 to 0.983)."
    )


def test_one_number_of_one_arm_without_an_interval(summary: dict[str, Any]):
    alone = point("alone", 1, 0.9, macro_f1={"mean": 0.9, "std": None, "interval": None})
    assert curve_answer({**summary, "points": [alone]}) == "With the labels of 1 wearer, macro-F1 is 0.900."


def test_what_speaks_against_it(summary: dict[str, Any]):
    assert curve_against(summary) == [
        "Every point is of one seed: another choice of labelled wearers may rank the arms differently.",
        "2 of 3 differences have an interval without zero.",
    ]


def test_missing_trainings_few_wearers_and_several_seeds(summary: dict[str, Any]):
    summary["protocol"]["folds"][0]["test_subjects"] = ["1", "2"]
    summary["points"][0]["seeds"] = [0, 1]
    assert curve_against({**summary, "finished": 3, "differences": summary["differences"][:1]}) == [
        "Only 3 of 4 trainings are finished.",
        "Only 2 wearers were tested: others may be unlike all of them.",
        "1 of 1 differences has an interval without zero.",
    ]


def test_the_page_needs_no_network_and_no_differences(summary: dict[str, Any]):
    page = curve_page(summary)
    check_page(page)
    assert "<h1>Few labels: deseptr on hapt</h1>" in page
    assert "<h2>Differences</h2>" in page
    assert "student &lt;taught&gt; − student alone, 3" in page
    assert "<taught>" not in page
    assert "<h2>Differences</h2>" not in curve_page({**summary, "differences": []})
