"""What the sections of a comparison of runs answer, word by word, from figures written here by hand."""

from typing import Any

import pytest

from deseptr.report.runs_sentences import section_against, section_answer

WEARERS = {"1": 0.99, "2": 0.8, "3": 0.9, "4": 0.95, "5": 0.97}


def figures(mean: float, std: float | None = None, low: float | None = None) -> dict[str, Any]:
    return {
        "macro_f1": {"mean": mean, "std": std},
        "interval": None if low is None else {"low": low, "high": 0.9876},
        "per_class_f1": {"sit": 0.75, "walk": 0.95},
        "per_subject_f1": WEARERS,
        "confusion": [[30, 10], [4, 956]],
    }


@pytest.fixture
def section() -> dict[str, Any]:
    groups = [
        {"label": "ours", "float": figures(0.95, 0.0123, 0.9), "int8": figures(0.945)},
        {"label": "other", "float": figures(0.93)},
    ]
    return {"labels": ["sit", "walk"], "folds": {"test": list("12345")}, "windows": 1000, "groups": groups}


def test_the_highest_of_several_models_and_the_next(section: dict[str, Any]):
    assert section_answer(section) == (
        "Of 2 models, ours has the highest macro-F1, 0.950 ± 0.012 over seeds (95 % interval 0.900 to 0.988), "
        "on 1,000 windows of 5 wearers; next is other with 0.930."
    )


def test_models_that_are_alike_in_three_digits_are_named_together(section: dict[str, Any]):
    third = {"label": "third", "float": figures(0.9496)}
    tied = [section["groups"][0], {**third, "label": "second"}, third, section["groups"][1]]
    assert section_answer({**section, "groups": tied}) == (
        "Of 4 models, ours, second and third have the highest macro-F1, 0.950, on 1,000 windows of 5 wearers."
    )


def test_the_only_model_in_folds(section: dict[str, Any]):
    alone = {**section, "groups": section["groups"][1:], "folds": {"0": ["1"], "1": ["2"]}}
    assert section_answer(alone) == "other: macro-F1 0.930 on 1,000 windows of 5 wearers in 2 folds."


def test_what_speaks_against_the_highest(section: dict[str, Any]):
    assert section_against(section) == [
        "The interval of ours contains the macro-F1 of other.",
        "In int8, its macro-F1 is 0.945, a difference of -0.005.",
        "Weakest class: sit, F1 0.750.",
        "Weakest wearer: 2, macro-F1 0.800.",
        "Most confused: 10 of 40 windows of sit (25 %) taken for walk.",
    ]


def test_a_clear_difference_and_int8_that_is_not_worse_are_not_told(section: dict[str, Any]):
    section["groups"][0] |= {"float": figures(0.95, low=0.931), "int8": figures(0.95)}
    assert section_against(section)[0] == "Weakest class: sit, F1 0.750."


def test_a_figure_at_the_bound_is_inside(section: dict[str, Any]):
    section["groups"][0]["float"] = figures(0.95, low=0.93)
    assert section_against(section)[0] == "The interval of ours contains the macro-F1 of other."


def test_an_unknown_interval_is_told_where_models_are_compared(section: dict[str, Any]):
    section["groups"][0]["float"] = figures(0.95)
    assert section_against(section)[0] == "No interval is known for ours."
    assert "No interval" not in " ".join(section_against({**section, "groups": section["groups"][:1]}))


def test_few_wearers_and_classes_that_are_missed(section: dict[str, Any]):
    group = section["groups"][1]
    group["float"] |= {
        "per_subject_f1": {"1": 0.9},
        "per_class_f1": {"sit": None, "walk": 1.0},
        "confusion": [[0, 0], [0, 9]],
    }
    assert section_against({**section, "groups": [group]}) == [
        "Only 1 wearer was tested: others may be unlike all of them.",
        "sit has no test window: it is not measured.",
    ]
