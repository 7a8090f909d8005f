import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import confusion_matrix, f1_score

from deseptr.contract import (
    accuracy,
    macro_f1,
    macro_f1_interval,
    score,
    seeds_interval,
    subject_confusions,
    subjects_interval,
)

rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from("abc")), min_size=1, max_size=50)


@given(rows)
def test_confusions_of_subjects_are_theirs(drawn: list[tuple[int, int, str]]):
    true, predicted, subjects = map(np.array, zip(*drawn, strict=True))
    confusions = subject_confusions(true, predicted, subjects, 3)
    for name, found in zip(np.unique(subjects), confusions, strict=True):
        chosen = subjects == name
        assert (found == confusion_matrix(true[chosen], predicted[chosen], labels=range(3))).all()
    assert (confusions.sum(0) == score(true, predicted, ("x", "y", "z")).confusion).all()


@given(rows, st.integers(0, 3))
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


def confusions_of(rates: np.ndarray) -> np.ndarray:
    """Confusion matrices ``[seed, subject, 2, 2]`` of 100 windows a class, this share of them right."""
    right = np.round(100 * rates).astype(np.int64)
    return np.stack([np.stack([right, 100 - right], -1), np.stack([100 - right, right], -1)], -2)


@pytest.fixture
def arms() -> tuple[np.ndarray, np.ndarray]:
    """Two models, one 5 points better, of wearers who differ by much more than that."""
    rng = np.random.default_rng(1)
    wearers, seeds, noise = rng.uniform(0.5, 0.9, 8), rng.normal(0, 0.01, (3, 1)), rng.normal(0, 0.01, (2, 3, 8))
    return confusions_of(wearers + seeds + noise[0] + 0.05), confusions_of(wearers + seeds + noise[1])


def mean_f1(confusions: np.ndarray) -> float:
    return float(macro_f1(confusions.sum(axis=1)).mean())


def test_interval_over_seeds_is_that_of_a_plain_loop(arms: tuple[np.ndarray, np.ndarray]):
    interval = seeds_interval(*arms, resamples=20, seed=5)
    assert interval is not None
    rng = np.random.default_rng(5)
    of_subjects, of_seeds = (rng.multinomial(n, np.full(n, 1 / n), size=20) for n in (8, 3))
    values = []
    for subjects, seeds in zip(of_subjects, of_seeds, strict=True):
        one, other = (arm[np.repeat(range(3), seeds)][:, np.repeat(range(8), subjects)] for arm in arms)
        values.append(mean_f1(one) - mean_f1(other))
    np.testing.assert_allclose(interval[:2], np.quantile(values, (0.025, 0.975)))


def test_interval_of_a_difference_holds_it_and_is_narrower_than_that_of_two_models_apart(
    arms: tuple[np.ndarray, np.ndarray],
):
    one, other = arms
    paired = seeds_interval(one, other)
    alone = [seeds_interval(arm, seed=seed) for seed, arm in enumerate(arms)]
    assert paired is not None
    assert 0 < paired.low < mean_f1(one) - mean_f1(other) < paired.high
    widths = [interval.high - interval.low for interval in alone if interval]
    assert len(widths) == 2
    assert paired.high - paired.low < 0.3 * np.hypot(*widths)


def test_interval_of_one_seed_is_that_over_subjects(arms: tuple[np.ndarray, np.ndarray]):
    assert seeds_interval(arms[0][:1]) == macro_f1_interval(arms[0][0])


def test_interval_against_itself_is_nothing_and_of_one_subject_there_is_none(arms: tuple[np.ndarray, np.ndarray]):
    assert seeds_interval(arms[0], arms[0]) == (0, 0, 0.95)
    assert seeds_interval(arms[0][:, :1]) is None


def test_seeds_that_differ_widen_the_interval():
    steady = seeds_interval(confusions_of(np.full((3, 4), 0.8)))
    wavering = seeds_interval(confusions_of(np.repeat([[0.7], [0.8], [0.9]], 4, axis=1)))
    assert steady is not None
    assert steady.high - steady.low == pytest.approx(0)
    assert wavering is not None
    assert wavering.high - wavering.low > 0.1


def test_interval_of_another_score_is_that_of_a_plain_loop(arms: tuple[np.ndarray, np.ndarray]):
    interval = seeds_interval(arms[0][:1], resamples=20, seed=5, statistic=accuracy)
    assert interval is not None
    drawn = np.random.default_rng(5).multinomial(8, np.full(8, 1 / 8), size=20)
    right = np.trace(arms[0][0], axis1=1, axis2=2) / arms[0][0].sum((1, 2))
    np.testing.assert_allclose(interval[:2], np.quantile(drawn @ right / 8, (0.025, 0.975)))


def test_interval_of_a_figure_of_subjects_has_its_share_of_the_resamples_on_either_side():
    # Of two subjects, the first is drawn never, once or twice in a quarter, a half and a quarter of the resamples.
    drawn_once, most = (subjects_interval(2, lambda drawn: drawn[:, 0] * 1.0, level=level) for level in (0.4, 0.95))
    assert drawn_once is not None
    assert drawn_once == (1.0, 1.0, 0.4)
    assert most is not None
    assert most == (0.0, 2.0, 0.95)
    # Where it is undefined without the first, those draws have no part.
    known = subjects_interval(2, lambda drawn: np.where(drawn[:, 0] > 0, drawn[:, 0] * 1.0, np.nan))
    assert known is not None
    assert known == (1.0, 2.0, 0.95)


def test_no_interval_of_one_subject_or_of_what_is_never_defined():
    assert subjects_interval(1, lambda drawn: drawn[:, 0] * 1.0) is None
    assert subjects_interval(3, lambda drawn: np.full(len(drawn), np.nan)) is None


def test_two_thousand_resamples_are_drawn_unless_others_are_asked_for():
    drawn = []

    def first(counts: np.ndarray) -> np.ndarray:
        drawn.append(counts.shape)
        return counts[:, 0] * 1.0

    subjects_interval(3, first)
    subjects_interval(3, first, resamples=50)
    assert drawn == [(2000, 3), (50, 3)]
    seeds_interval(np.ones((2, 3, 2, 2), np.int64), statistic=lambda c: drawn.append(c.shape) or macro_f1(c))
    assert drawn[2:] == [(2, 2000, 2, 2)]
