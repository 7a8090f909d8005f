"""Classes that are missed altogether are named."""

import numpy as np

from deseptr.contract import score
from deseptr.report.missed_classes import missed_classes

LABELS = ("sit", "walk", "fly", "swim", "hop")


def test_each_kind_has_its_line():
    true = np.array([0] * 9 + [2, 2, 2, 4])
    predicted = np.array([0] * 9 + [0, 1, 1, 0])
    assert list(missed_classes(score(true, predicted, LABELS).to_dict())) == [
        "F1 of walk is 0: it has no test window, and others are taken for it",
        "F1 of fly is 0: none of its 3 windows is recognised, 2 are taken for walk",
        "swim has no test window: it is not measured",
        "F1 of hop is 0: its one window is not recognised, 1 is taken for sit",
    ]


def test_nothing_is_said_of_classes_that_are_recognised():
    classes = np.arange(5).repeat(2)
    assert list(missed_classes(score(classes, classes, LABELS).to_dict())) == []
