import numpy as np
from hypothesis import given, strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from deseptr.contract import score

LABELS = ("a", "b", "c", "d")
classes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(classes)
def test_agrees_with_scikit_learn(pairs: list[tuple[int, int]]):
    true, predicted = np.array(pairs).T
    scores = score(true, predicted, LABELS)
    assert np.isclose(scores.accuracy, accuracy_score(true, predicted))
    assert np.isclose(scores.macro_f1, f1_score(true, predicted, average="macro"))
    assert (scores.confusion == confusion_matrix(true, predicted, labels=range(4))).all()


def test_class_that_never_occurs_has_no_f1_and_does_not_count():
    scores = score(np.array([0, 1]), np.array([0, 1]), LABELS)
    assert scores.per_class_f1 == {"a": 1.0, "b": 1.0, "c": None, "d": None}
    assert scores.macro_f1 == 1.0


def test_subjects_are_scored_apart():
    scores = score(np.array([0, 1, 0]), np.array([0, 1, 1]), LABELS, np.array(["5", "5", "10"]))
    assert scores.per_subject_f1 == {"10": 0.0, "5": 1.0}


def test_keys_are_those_of_every_report():
    keys = {"windows", "accuracy", "macro_f1", "labels", "per_class_f1", "per_subject_f1", "confusion"}
    assert score(np.array([0]), np.array([0]), LABELS).to_dict().keys() == keys
