import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score

from deseptr.contract import macro_f1_interval, score, subject_confusions
from deseptr.contract.scores import macro_f1

rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from("abc")), min_size=1, max_size=50)


@given(rows)
@settings(deadline=None)
def test_confusions_of_subjects_are_theirs(drawn: list[tuple[int, int, str]]):
    true, predicted, subjects = map(np.array, zip(*drawn, strict=True))
    confusions = subject_confusions(true, predicted, subjects, 3)
    for name, found in zip(np.unique(subjects), confusions, strict=True):
        chosen = subjects == name
        assert (found == confusion_matrix(true[chosen], predicted[chosen], labels=range(3))).all()
    assert (confusions.sum(0) == score(true, predicted, ("x", "y", "z")).confusion).all()


@given(rows, st.integers(0, 3))
@settings(deadline=None)
def test_interval_is_that_of_a_plain_loop(drawn: list[tuple[int, int, str]], seed: int):
    true, predicted, subjects = map(np.array, zip(*drawn, strict=True))
    names = np.unique(subjects)
    interval = macro_f1_interval(subject_confusions(true, predicted, subjects, 3), resamples=20, seed=seed)
    if len(names) < 2:
        assert interval is None
        return
    values = []
    for counts in np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=20):
        chosen = np.concatenate([np.flatnonzero(subjects == n) for n in np.repeat(names, counts)])
        present = np.union1d(true[chosen], predicted[chosen])
        values.append(f1_score(true[chosen], predicted[chosen], labels=present, average="macro"))
    np.testing.assert_allclose(interval[:2], np.quantile(values, (0.025, 0.975)))


def test_subjects_alike_leave_no_doubt_and_unlike_ones_much():
    right, wrong = np.diag([5, 5]), np.array([[0, 5], [5, 0]])
    alike = macro_f1_interval(np.stack([right] * 4))
    assert alike is not None
    assert (alike.low, alike.high) == (1, 1)
    unlike = macro_f1_interval(np.stack([right, wrong] * 2))
    assert unlike is not None
    assert unlike.low < 0.3 < 0.7 < unlike.high
    assert unlike == macro_f1_interval(np.stack([right, wrong] * 2))
    assert str(alike) == "1.000 to 1.000"


def test_interval_of_several_models_is_that_of_the_mean_of_their_scores():
    rng = np.random.default_rng(0)
    confusions = rng.integers(0, 9, (3, 5, 2, 2))
    drawn = np.random.default_rng(0).multinomial(5, np.full(5, 1 / 5), size=50)
    values = [np.mean([macro_f1((counts[:, None, None] * model).sum(0)) for model in confusions]) for counts in drawn]
    interval = macro_f1_interval(confusions, resamples=50)
    assert interval is not None
    np.testing.assert_allclose(interval[:2], np.quantile(values, (0.025, 0.975)))
    assert macro_f1_interval(confusions[:1]) == macro_f1_interval(confusions[0])
