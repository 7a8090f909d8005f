"""Figures as attributes."""

import copy
import pickle
from pathlib import Path

import pytest

from deseptr.results import CrossValidation, Figures

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
