"""Sentences and tables of an evaluation, word by word, from figures written here by hand."""

from typing import Any

import pytest

from deseptr.report.score_sentences import against, answer, few_wearers, most_confused, weakest_class, weakest_wearer
from deseptr.report.score_tables import classes_table, counts_table, evaluation_markdown, wearers_table


@pytest.fixture
def figures() -> dict[str, Any]:
    return {
        "windows": 1240,
        "accuracy": 0.9346,
        "macro_f1": 0.9123,
        "labels": ["sit", "walk", "fly"],
        "per_class_f1": {"sit": 0.95, "walk": 0.875, "fly": None},
        "per_subject_f1": {"ada": 0.99, "10": 0.8125, "bob": 0.9, "eve": 0.95, "fay": 0.97},
        "confusion": [[1000, 24, 0], [16, 200, 0], [0, 0, 0]],
        "macro_f1_interval": {"low": 0.8512, "high": 0.9456},
    }


def test_the_answer_has_figures_interval_and_whom_they_are_of(figures: dict[str, Any]):
    assert answer(figures, figures["macro_f1_interval"]) == (
        "Macro-F1 0.912 (95 % interval 0.851 to 0.946) and accuracy 0.935 on 1,240 windows of 5 wearers."
    )


def test_one_window_of_one_wearer(figures: dict[str, Any]):
    one = {**figures, "windows": 1, "per_subject_f1": {"ada": 1.0}}
    assert answer(one) == "Macro-F1 0.912 and accuracy 0.935 on 1 window of 1 wearer."


def test_what_speaks_against_it(figures: dict[str, Any]):
    assert against(figures) == [
        "Weakest class: walk, F1 0.875.",
        "Weakest wearer: 10, macro-F1 0.812.",
        "Most confused: 24 of 1,024 windows of sit (2.3 %) taken for walk.",
        "fly has no test window: it is not measured.",
    ]


def test_nothing_speaks_against_all_windows_right_on_five_wearers():
    perfect = {
        "labels": ["sit", "walk"],
        "per_class_f1": {"sit": 1.0, "walk": 1.0},
        "per_subject_f1": dict.fromkeys("abcde", 1.0),
        "confusion": [[5, 0], [0, 5]],
    }
    assert against(perfect) == []


def test_a_class_that_is_never_recognised_is_told_once():
    figures = {
        "labels": ["sit", "fly"],
        "per_class_f1": {"sit": 0.9, "fly": 0.0},
        "per_subject_f1": {"ada": 0.5},
        "confusion": [[9, 0], [2, 0]],
    }
    assert against(figures) == [
        "Only 1 wearer was tested: others may be unlike all of them.",
        "Most confused: 2 of 2 windows of fly (100 %) taken for sit.",
        "F1 of fly is 0: none of its 2 windows is recognised, 2 are taken for sit.",
    ]


def test_few_wearers():
    assert few_wearers(dict.fromkeys("abcd", 0.9)) == ("Only 4 wearers were tested: others may be unlike all of them.")
    assert few_wearers(dict.fromkeys("abcde", 0.9)) == ""


def test_the_first_of_the_largest_confusions():
    assert most_confused(["a", "b"], [[1, 3], [3, 0]]) == "Most confused: 3 of 4 windows of a (75 %) taken for b."
    assert most_confused(["a", "b", "c"], [[1, 0, 2], [3, 0, 0], [0, 0, 9]]) == (
        "Most confused: 3 of 3 windows of b (100 %) taken for a."
    )
    assert most_confused(["a", "b"], [[9, 0], [0, 0]]) == ""
    assert most_confused(["a"], [[9]]) == ""


def test_the_weakest_needs_another_that_is_stronger():
    assert weakest_class({"sit": 0.5, "fly": None}) == ""
    assert weakest_class({"sit": 0.5, "walk": 0.25}) == "Weakest class: walk, F1 0.250."
    assert weakest_class({"sit": 0.5, "walk": 0.0}) == ""
    assert weakest_wearer({"ada": 0.5, "eve": 0.0}) == "Weakest wearer: eve, macro-F1 0.000."
    assert weakest_wearer({"ada": 1.0, "eve": 1.0}) == ""
    assert weakest_wearer({}) == ""


def test_classes_have_recall_precision_and_what_they_are_taken_for(figures: dict[str, Any]):
    assert classes_table(figures) == (
        ["class", "windows", "F1", "recall", "precision", "most often taken for"],
        [
            ["sit", "1,024", "0.950", "0.977", "0.984", "walk (2.3 %)"],
            ["walk", "216", "0.875", "0.926", "0.893", "sit (7.4 %)"],
            ["fly", "0", "–", "–", "–", "–"],
        ],
    )


def test_wearers_are_ranked_the_worst_first(figures: dict[str, Any]):
    assert wearers_table(figures) == (
        ["wearer", "macro-F1"],
        [["10", "0.812"], ["bob", "0.900"], ["eve", "0.950"], ["fay", "0.970"], ["ada", "0.990"]],
    )


def test_markdown_has_the_sentences_and_the_counts(figures: dict[str, Any]):
    text = evaluation_markdown({"straight": figures, "over the bus": {**figures, "macro_f1_interval": None}}, "m on d")
    lines = text.split("\n")
    assert lines[:9] == [
        "# m on d",
        "",
        "## straight",
        "",
        "Macro-F1 0.912 (95 % interval 0.851 to 0.946) and accuracy 0.935 on 1,240 windows of 5 wearers.",
        "",
        "- Weakest class: walk, F1 0.875.",
        "- Weakest wearer: 10, macro-F1 0.812.",
        "- Most confused: 24 of 1,024 windows of sit (2.3 %) taken for walk.",
    ]
    assert "Macro-F1 0.912 and accuracy 0.935 on 1,240 windows of 5 wearers." in lines
    assert counts_table(figures)[1][1] == ["walk", "16", "200", "0"]
    assert text.count("| walk | 16 | 200 | 0 |") == 2
