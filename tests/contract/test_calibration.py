import itertools
import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from deseptr.contract import fit_temperature, reliability, softmax

logits = st.integers(1, 60).flatmap(lambda n: arrays(np.float32, (n, 4), elements=st.floats(-8, 8, width=32)))


def naive_ece(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> float:
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in itertools.pairwise(edges):
        inside = [i for i, row in enumerate(probabilities) if low < max(row) <= high]
        if inside:
            confidence = np.mean([max(probabilities[i]) for i in inside])
            accuracy = np.mean([np.argmax(probabilities[i]) == labels[i] for i in inside])
            total += len(inside) / len(labels) * abs(accuracy - confidence)
    return total


@given(logits, st.integers(1, 20), st.integers(0, 9))
def test_ece_is_that_of_the_definition(values: np.ndarray, bins: int, seed: int):
    labels = np.random.default_rng(seed).integers(0, 4, len(values))
    probabilities = softmax(values)
    curve = reliability(probabilities, labels, bins)
    assert curve.ece == pytest.approx(naive_ece(np.minimum(probabilities, 1.0), labels, bins), abs=1e-12)
    assert 0 <= curve.ece <= curve.mce + 1e-12 <= 1 + 1e-12
    assert curve.counts.sum() == len(values)
    json.dumps(curve.to_dict(), allow_nan=False)


@given(logits)
def test_softmax_gives_distributions_in_the_order_of_the_logits(values: np.ndarray):
    probabilities = softmax(values * 100)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (np.take_along_axis(probabilities, values.argmax(1)[:, None], 1)[:, 0] == probabilities.max(1)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_is_safe_and_sums_to_one(dtype: type):
    probabilities = softmax(np.array([[1000, 999, -1000], [0, 0, 0]], np.float32), dtype)
    assert probabilities.dtype == dtype
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(probabilities[0, :2], [0.7310586, 0.2689414], rtol=1e-5)


def test_only_confident_and_correct_is_calibrated():
    sure = np.eye(3)
    assert reliability(sure, np.arange(3)).ece == 0
    assert reliability(sure, (np.arange(3) + 1) % 3).ece == 1


def test_a_confidence_that_was_rounded_above_one_is_in_the_last_bin():
    """The sum of a softmax in float32 may be a step off one."""
    above = np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]], np.float32)
    assert reliability(above, np.array([0]), bins=10).counts.tolist() == [0] * 9 + [1]


def test_curve_has_the_windows_of_each_bin():
    probabilities = np.array([[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    curve = reliability(probabilities, np.array([0, 1, 1]), bins=10)
    assert curve.counts.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert curve.accuracy[5:8].tolist() == [1, 0, 1]
    assert curve.to_dict()["bins"][0] == {"windows": 0, "confidence": None, "accuracy": None}
    assert curve.mce == pytest.approx(0.7)


def test_no_window_has_no_error():
    curve = reliability(np.empty((0, 3)), np.empty(0, int))
    assert (curve.ece, curve.mce) == (0, 0)


@given(st.integers(0, 1000), st.floats(0.3, 4))
def test_temperature_of_logits_whose_labels_are_drawn_by_them(seed, temperature):
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 2, (4000, 4))
    labels = (softmax(true).cumsum(1) > rng.random((4000, 1))).argmax(1)
    assert abs(fit_temperature(true * temperature, labels) / temperature - 1) < 0.15


def test_temperature_of_a_model_that_is_always_right_or_never():
    rows = np.eye(4) * 5
    assert abs(fit_temperature(rows, np.arange(4)) - 0.05) < 1e-6
    assert abs(fit_temperature(rows, (np.arange(4) + 1) % 4) - 20) < 1e-6
