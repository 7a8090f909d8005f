from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import softmax
from deseptr.device.personal.correction import GAIN, OFFSET, RIDGE, fit_correction
from deseptr.device.personal.recorded import Recorded, joined

CLASSES, WIDTH = 3, 4


def recorded(labels, logits, embeddings, statistics=None):
    count = len(labels)
    return Recorded(
        np.asarray(logits, np.float32),
        np.asarray(embeddings, np.float32).reshape(count, -1),
        np.asarray(labels, np.int64),
        np.zeros(count, np.int64),
        np.arange(count, dtype=np.int64) * 100,
        np.zeros((count, 0), np.float32) if statistics is None else np.asarray(statistics, np.float32),
    )


def drawn(seed, count, width=WIDTH, classes=CLASSES):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    return recorded(labels, random.normal(0, 3, (count, CLASSES)), random.normal(0, 1, (count, width)))


def dual(of, temperature, logits, features):
    """The same regression over the windows instead of over the features."""
    own = np.float64(of.features) / (1.0 if of.embeddings.shape[1] else temperature)
    scale = (own**2).sum(1).mean()

    def kernel(a, b):
        return (a @ b.T / scale + OFFSET) / (1 + OFFSET)

    had = np.isin(np.arange(CLASSES), of.labels)
    missing = GAIN * (np.eye(CLASSES)[of.labels] - softmax(np.where(had, of.logits, -np.inf)))
    solved = np.linalg.solve(kernel(own, own) + RIDGE * np.eye(len(own)), missing)
    corrected = logits + kernel(features, own) @ solved / temperature
    # The recorded classes share among them what they had.
    share = softmax(logits)[:, had].sum(axis=1, keepdims=True)
    within = softmax(np.where(had, corrected, -np.inf)) * share
    return np.where(had, within, softmax(logits))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20), st.sampled_from([0, 1, 4, 9]), st.floats(0.3, 3))
def test_is_the_kernel_regression_of_what_the_model_misses(seed, count, width, temperature):
    of, new = drawn(seed, count, width), drawn(seed + 1, 5, width)
    logits = np.float64(new.logits) / temperature
    features = np.float64(new.embeddings) if width else logits
    made = fit_correction(of, temperature, 0).apply(logits, features)
    np.testing.assert_allclose(softmax(made), dual(of, temperature, logits, features), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 4]), st.integers(0, 1), st.floats(0.3, 3))
def test_a_temperature_divides_the_corrected_logits(seed, width, new, temperature):
    of, other = replace(drawn(seed, 12, width), labels=np.arange(12) % CLASSES), drawn(seed + 1, 5, width)
    made = [
        fit_correction(of, each, new).apply(other.logits / each, other.embeddings if width else other.logits / each)
        for each in (1.0, temperature)
    ]
    # But for the shift that keeps the sum of the classes' exponentials.
    plain, divided = (each - each[:, :1] for each in made)
    np.testing.assert_allclose(divided * temperature, plain, atol=1e-3 * max(1.0, np.abs(plain).max()))


def test_what_the_model_is_sure_and_right_about_changes_nothing():
    sure = recorded([0, 1, 2], 30 * np.eye(3), np.eye(3, 4))
    random = drawn(5, 50)
    made = fit_correction(sure, 1.0, 0).apply(random.logits, random.embeddings)
    np.testing.assert_allclose(made, random.logits, atol=1e-5)


def test_more_of_a_label_pulls_more():
    one = recorded([2, 0], [[3, 0, 0], [3, 0, 0]], [[1, 0, 0, 0], [0, 1, 0, 0]])
    chances = [0.05]
    for count in (1, 3, 9):
        made = fit_correction(joined([one] * count), 1.0, 0).apply(np.float32([3, 0, 0]), np.float32([1, 0, 0, 0]))
        chances.append(softmax(made)[2])
    assert chances == sorted(chances)
    assert len(set(chances)) == 4


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_a_class_that_was_not_recorded_keeps_its_probability(seed, count):
    of, new = drawn(seed, count, classes=2), drawn(seed + 1, 6)
    made = softmax(fit_correction(of, 1.0, 0).apply(new.logits, new.embeddings))
    np.testing.assert_allclose(made[:, 2], softmax(new.logits)[:, 2], atol=1e-9)


@pytest.mark.parametrize("embedded", [True, False])
def test_a_new_label_is_told_from_the_others_and_from_what_was_never_recorded(embedded):
    random = np.random.default_rng(0)
    centres = 4 * np.eye(4)[:, :3] if not embedded else 4 * np.eye(4)
    # Classes 0 and 1 and the new one are recorded, class 2 is not; the model calls the new one class 1.
    labels = np.repeat([0, 1, 3], 8)
    places = centres[labels] + random.normal(0, 0.3, (24, centres.shape[1]))
    logits = 4 * np.eye(3)[np.where(labels == 3, 1, labels)]
    if not embedded:
        logits[labels == 3] = [-3, -3, -3]
        places = np.zeros((24, 0))
    fitted = fit_correction(recorded(labels, logits, places), 1.0, 1)
    asked = 4 * np.eye(3, dtype=np.float64)[[0, 1, 2, 1]]
    if not embedded:
        asked[3] = [-3, -3, -3]
    made = fitted.apply(asked, centres if embedded else asked)
    assert made.shape == (4, 4)
    assert made.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_one_window_is_corrected_as_one_of_many():
    of, new = drawn(1, 12, classes=5), drawn(2, 6)
    fitted = fit_correction(of, 1.3, 2)
    many = fitted.apply(new.logits, new.embeddings)
    for row, logits, embedding in zip(many, new.logits, new.embeddings, strict=True):
        np.testing.assert_allclose(fitted.apply(logits, embedding), row, rtol=1e-9)


def test_a_new_label_that_the_embedding_does_not_tell_is_told_by_the_samples():
    """The network never learned what tells the new label from class 0; the direction of gravity does."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 3], 8)
    seen = np.where(labels == 3, 0, labels)
    embeddings = 4 * np.eye(4)[seen] + random.normal(0, 0.3, (24, 4))
    gravity = np.where(labels[:, None] == 3, [0.0, 9.8, 0.0], [9.8, 0.0, 0.0]) + random.normal(0, 0.3, (24, 3))
    asked = 4 * np.eye(3)[[0, 0, 1]], 4 * np.eye(4)[[0, 0, 1]]
    held = np.array([[0.0, 9.8, 0.0], [9.8, 0.0, 0.0], [9.8, 0.0, 0.0]])
    with_samples = fit_correction(recorded(labels, 4 * np.eye(3)[seen], embeddings, gravity), 1.0, 1)
    assert with_samples.apply(*asked, held).argmax(axis=1).tolist() == [3, 0, 1]
    without = fit_correction(recorded(labels, 4 * np.eye(3)[seen], embeddings), 1.0, 1).apply(*asked)
    np.testing.assert_array_equal(without[0], without[1])
