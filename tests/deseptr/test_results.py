"""Figures as attributes."""

import copy
import pickle
from pathlib import Path

import pytest

from deseptr.results import Comparison, ContinuousScores, CrossValidation, Figures

CONTENT = {"macro_f1": 0.8, "folds": [{"fold": "1"}]}


def test_every_key_is_an_attribute_and_others_are_named():
    figures = Figures(CONTENT)
    assert (figures.macro_f1, figures.folds) == (0.8, [{"fold": "1"}])
    assert {"macro_f1", "folds", "to_dict"} <= set(dir(figures))
    with pytest.raises(AttributeError, match=r"^Figures has no 'accuracy'; it has folds, macro_f1$"):
        _ = figures.accuracy


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda figures: pickle.loads(pickle.dumps(figures))])
def test_figures_can_be_copied_and_sent_to_another_process(copied):
    assert copied(Figures(CONTENT)).to_dict() == CONTENT


def test_a_cross_validation_knows_its_folder_which_is_none_of_its_figures():
    found = CrossValidation({"path": "runs/cv", "format": 1})
    assert found.path == Path("runs/cv")
    assert found.to_dict() == {"format": 1}


def continuous(p50, p90):
    delay = {"p50": {"value": p50}, "p90": {"value": p90}}
    figures = {"frame_f1": {"value": 0.81239}, "spurious_changes_per_hour": {"value": 12.4}, "hours": 1.256}
    return ContinuousScores({"delay_s": delay, **figures})


def test_scores_of_whole_recordings_print_in_a_line():
    assert repr(continuous(1.254, None)) == (
        "ContinuousScores(frame_f1=0.8124, delay p50 1.25 s, delay p90 unknown, 12 spurious changes an hour, 1.26 h)"
    )
    assert "delay p50 unknown, delay p90 2.00 s" in repr(continuous(None, 2.0))


def test_a_comparison_prints_in_a_line_and_scores_where_there_are_some():
    models = [
        {"name": "a", "latency": {"median_us": 171.4}, "scores": {"macro_f1": 0.91236}},
        {"name": "b", "latency": {"median_us": 90.0}, "scores": None},
    ]
    assert repr(Comparison({"models": models})) == (
        "Comparison(a 171 µs macro_f1 0.9124, b 90 µs; median on this machine)"
    )


@pytest.mark.parametrize("kind", ["int8", "float"])
def test_a_cross_validation_prints_int8_where_it_was_measured(kind):
    figures = {"float": {"mean": {"macro_f1": 0.9}, "std": {"macro_f1": 0.02}}}
    figures[kind] = {"mean": {"macro_f1": 0.8}, "std": {"macro_f1": 0.01}}
    found = CrossValidation({"path": "runs/cv", "model": "deseptr_d32", "folds": [{}, {}], **figures})
    assert found.macro_f1 == 0.8
    assert repr(found) == f"CrossValidation('runs/cv', deseptr_d32, 2 folds, {kind} macro_f1 0.8000 ± 0.0100)"
