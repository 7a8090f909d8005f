from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm

from deseptr.contract import ActivityChain, DecisionConfig, SetupError
from deseptr.device.label.chain import ChainFilter, step_matrix
from deseptr.device.label.tracker import LabelTracker

LABELS = ("sitting", "standing", "walking")
ORDER = ((0.0, 1.0, 0.0), (0.3, 0.0, 0.7), (0.0, 1.0, 0.0))
CHAIN = ActivityChain((20.0, 4.0, 12.0), ORDER, stages=3, weight=0.5, floor=0.01)
rows = arrays(np.float32, st.tuples(st.integers(1, 5), st.just(3)), elements=st.floats(0.0078125, 1, width=32))


def of_stages(chain: ActivityChain) -> np.ndarray:
    """Rates of the stages, written down element by element."""
    size = chain.classes * chain.stages
    rates = np.zeros((size, size))
    for each, stage in product(range(chain.classes), range(chain.stages)):
        here, rate = each * chain.stages + stage, chain.stages / chain.durations_s[each]
        rates[here, here] = -rate
        if stage + 1 < chain.stages:
            rates[here, here + 1] = rate
        else:
            for other in range(chain.classes):
                if other != each:
                    rates[here, other * chain.stages] += rate * chain.following[each][other]
    return rates


@pytest.mark.parametrize("hop_s", [0.02, 0.32, 2.56, 60.0])
def test_step_is_the_exponential_of_the_rates(hop_s: float):
    step = step_matrix(CHAIN, hop_s)
    np.testing.assert_allclose(step, expm(of_stages(CHAIN) * hop_s), atol=1e-9)
    np.testing.assert_allclose(step.sum(axis=1), 1)


@settings(max_examples=30)
@given(rows)
def test_filter_is_the_sum_over_all_paths(windows: np.ndarray):
    # With one stage, the states are the classes: every path of them is enumerated.
    chain = ActivityChain(CHAIN.durations_s, CHAIN.following, stages=1, weight=0.5, floor=0.01)
    hop_s = 0.64
    step, evidence = expm(of_stages(chain) * hop_s), (windows + 0.01) ** (0.5 * hop_s)
    total = np.zeros(3)
    for path in product(range(3), repeat=len(windows) + 1):
        probability = 1 / 3
        for before, now, said in zip(path, path[1:], evidence, strict=False):
            probability *= step[before, now] * said[now]
        total[path[-1]] += probability
    made = ChainFilter(chain, hop_s)
    for row in windows:
        found = made.update(row)
    np.testing.assert_allclose(found, total / total.sum(), rtol=1e-6)


def test_one_odd_window_changes_nothing_and_a_gap_forgets():
    config = DecisionConfig("markov", threshold=0, margin=0, dwell_s=0, chain=CHAIN)
    tracker = LabelTracker(LABELS, config, hop_s=0.32)
    sitting, walking = np.array([0.98, 0.01, 0.01], np.float32), np.array([0.01, 0.01, 0.98], np.float32)
    shown = [tracker.update(0.32 * k, walking if k == 30 else sitting).label for k in range(60)]
    assert set(shown[15:]) == {"sitting"}
    kept = tracker.update(19.2, walking).label
    tracker.gap()
    assert (kept, tracker.update(19.52, walking).label) == ("sitting", "walking")


def test_many_windows_change_the_label():
    config = DecisionConfig("markov", threshold=0, margin=0, dwell_s=0, chain=CHAIN)
    tracker = LabelTracker(LABELS, config, hop_s=0.32)
    sitting, walking = np.array([0.98, 0.01, 0.01], np.float32), np.array([0.01, 0.01, 0.98], np.float32)
    shown = [tracker.update(0.32 * k, sitting if k < 60 else walking).label for k in range(120)]
    assert shown[-1] == "walking"


def test_markov_without_a_chain_is_refused():
    with pytest.raises(SetupError, match=r"smoothing: found markov, and no durations .* `deseptr tune MODEL DATA`"):
        DecisionConfig("markov")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"durations_s": (1.0, 0.0, 1.0)}, "durations_s"),
        ({"following": ORDER[:2]}, "following"),
        ({"following": ((0.5, 0.5, 0.0), *ORDER[1:])}, "following"),
        ({"following": ((0.0, 0.5, 0.0), *ORDER[1:])}, "following"),
        ({"stages": 0}, "stages"),
        ({"weight": 0.0}, "weight"),
        ({"floor": 0.0}, "floor"),
    ],
)
def test_impossible_chains_are_refused(change: dict, name: str):
    settings_ = {"durations_s": CHAIN.durations_s, "following": ORDER, **change}
    with pytest.raises(SetupError, match=f"^chain: {name}: found"):
        ActivityChain(**settings_)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([1e-3, 0.5, 20.0, 1e7]), min_size=2, max_size=2),
    st.sampled_from([1, 16]),
    st.sampled_from([1e-6, 1.0, 100.0]),
    st.sampled_from([1e-300, 0.01, 1.0]),
    st.sampled_from([0.001, 2.56, 86_000.0]),
    st.lists(st.sampled_from([(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.4, 0.3, 0.3)]), min_size=1, max_size=6),
)
def test_whatever_a_contract_may_say_gives_probabilities(durations, stages, weight, floor, hop_s, windows):
    # Nothing is followed by the last class.
    order = ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.5, 0.5, 0.0))
    chain = ActivityChain((*durations, 1.0), order, stages, weight, floor)
    made = ChainFilter(chain, hop_s)
    for row in windows:
        found = made.update(np.float32(row))
        assert (found >= 0).all()
        assert found.sum() == pytest.approx(1)
    if weight * hop_s > 100 and floor < 1 and max(windows[-1]) == 1:
        assert found.argmax() == np.argmax(windows[-1])


@pytest.mark.parametrize("durations_s", [(1e-4, 1.0), (1.0, 1e8), (0.0, 1.0), (np.nan, 1.0), (np.inf, 1.0)])
def test_durations_that_nothing_can_be_computed_of_are_refused(durations_s):
    with pytest.raises(SetupError, match=r"durations_s: found .*, expected 0\.001 to 1e\+07 s"):
        ActivityChain(durations_s, ((0.0, 1.0), (1.0, 0.0)))
