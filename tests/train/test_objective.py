from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from deseptr.contract import StftSpec
from deseptr.train.augment import Augmentation
from deseptr.train.classifier import WindowClassifier
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.models import DeSepTr, ResNet18
from deseptr.train.objective import (
    DistillationObjective,
    Objective,
    SelfTrainingObjective,
    SupervisedObjective,
    TwoHeadObjective,
    cross_entropy,
    smooth,
)

TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def entropy(targets: np.ndarray, logits: np.ndarray) -> float:
    return float(-(targets * log_softmax(logits)).sum(-1).mean())


def make(
    distillation: str = "soft", kind: type[DistillationObjective] = DistillationObjective, **settings
) -> tuple[DistillationObjective, dict[str, np.ndarray]]:
    # Layers draw their seeds when they are made: later is too late for the same weights in every process.
    keras.utils.set_random_seed(0)
    front_end = DftSpectrogram(StftSpec(16, 8, 2), [10.0] * 6)
    student = WindowClassifier(front_end, DeSepTr(3, dim=8, heads=2, stem_filters=4))
    teacher = WindowClassifier(front_end, ResNet18(3, width=4))
    augmentation = Augmentation(front_end, [0.1] * 6)
    objective = kind(student, teacher, augmentation, distillation=distillation, **settings)
    windows = np.random.default_rng(0).normal(size=(4, 64, 6)).astype(np.float32)
    return objective, {"windows": windows, "targets": TARGETS}


def outputs(rng: np.random.Generator) -> dict[str, np.ndarray]:
    logits = {name: rng.normal(size=(4, 3)).astype(np.float32) for name in ("class", "distillation", "teacher")}
    return {"targets": TARGETS, **logits}


def test_hard_distillation_is_deits_equation_3(rng: np.random.Generator):
    values, hard = outputs(rng), np.zeros((4, 3))
    hard[np.arange(4), values["teacher"].argmax(-1)] = 1
    expected = 0.5 * entropy(TARGETS, values["class"]) + 0.5 * entropy(hard, values["distillation"])
    assert float(make("hard")[0].loss_of(values)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_soft_distillation_is_cross_entropy_at_a_temperature(temperature: float, rng: np.random.Generator):
    values = outputs(rng)
    soft = np.exp(log_softmax(values["teacher"] / temperature))
    term = entropy(soft, values["distillation"] / temperature) * temperature**2
    expected = 0.5 * entropy(TARGETS, values["class"]) + 0.5 * term
    assert float(make("soft", temperature=temperature)[0].loss_of(values)) == pytest.approx(expected, rel=1e-5)


def test_without_distillation_both_heads_learn_from_the_labels(rng: np.random.Generator):
    distilled, batch = make()
    objective = TwoHeadObjective(distilled.classifier, distilled.augmentation, label_smoothing=0.3)
    values, targets = outputs(rng), TARGETS * 0.7 + 0.1
    expected = 0.5 * entropy(targets, values["class"]) + 0.5 * entropy(targets, values["distillation"])
    assert float(objective.loss_of(values)) == pytest.approx(expected, rel=1e-5)
    before, after = learn(objective, batch)
    for head in ("class", "distillation"):
        assert entropy(targets, np.asarray(after[head])) < entropy(targets, np.asarray(before[head])) - 0.1


def learn(objective: Objective, batch: dict[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs of the objective for an unchanged batch, before and after some steps that lower the loss."""
    objective.compile(keras.optimizers.Adam(3e-3))
    before = objective(batch, training=False)
    losses = [float(objective.train_on_batch(batch)) for _ in range(30)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.1
    return before, objective(batch, training=False)


WEIGHTS = np.array([0.5, 1.0, 4.0], np.float32)


def weighted(targets: np.ndarray, logits: np.ndarray, weights: np.ndarray) -> float:
    return float((-weights * (targets * log_softmax(logits)).sum(-1)).mean())


@pytest.mark.parametrize("distillation", ["hard", "soft"])
def test_class_weights_count_in_both_terms(distillation: str, rng: np.random.Generator):
    """The last example is half of class 0 and half of class 2, as CutMix leaves it."""
    values = outputs(rng) | {"targets": np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0.5]], np.float32)}
    soft = np.exp(log_softmax(values["teacher"]))
    taught = np.eye(3)[soft.argmax(-1)] if distillation == "hard" else soft
    of_examples = np.array([0.5, 1.0, 4.0, 2.25])
    truth = weighted(0.7 * values["targets"] + 0.1, values["class"], of_examples)
    expected = 0.5 * truth + 0.5 * weighted(taught, values["distillation"], of_examples)
    objective = make(distillation, label_smoothing=0.3, class_weights=WEIGHTS)[0]
    assert float(objective.loss_of(values)) == pytest.approx(expected, rel=1e-5)


def test_class_weights_of_a_network_alone(rng: np.random.Generator):
    front_end = DftSpectrogram(StftSpec(16, 8, 2), [10.0] * 6)
    classifier = WindowClassifier(front_end, ResNet18(3, width=4))
    objective = SupervisedObjective(classifier, Augmentation(front_end, [0.1] * 6), class_weights=WEIGHTS)
    logits = rng.normal(size=(4, 3)).astype(np.float32)
    expected = weighted(TARGETS, logits, np.array([0.5, 1.0, 4.0, 0.5]))
    assert float(objective.loss_of({"targets": TARGETS, "logits": logits})) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_spreads_over_all_classes():
    np.testing.assert_allclose(smooth(np.array([[1.0, 0, 0]]), 0.3), [[0.8, 0.1, 0.1]])


def test_cross_entropy_of_certainty_is_zero():
    assert float(cross_entropy(TARGETS, 100 * TARGETS)) == pytest.approx(0, abs=1e-6)


def test_teacher_gets_no_gradient_and_no_new_statistics():
    objective, batch = make()
    objective.build({"windows": (None, 64, 6), "targets": (None, 3)})
    objective.teacher.network(np.zeros((1, 9, 7, 6), np.float32))
    before = [np.asarray(w).copy() for w in objective.teacher.weights]
    # A single step is not worth a graph.
    objective.compile(keras.optimizers.Adam(0.1), run_eagerly=True)
    objective.train_on_batch(batch)
    for old, new in zip(before, objective.teacher.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    assert not objective.teacher.trainable_weights


def test_a_few_steps_lower_the_loss():
    objective, batch = make()
    before, after = learn(objective, batch)
    assert float(objective.loss_of(after)) < float(objective.loss_of(before)) - 0.1


def test_supervised_objective_augments_only_in_training():
    front_end = DftSpectrogram(StftSpec(16, 8, 2), [10.0] * 6)
    classifier = WindowClassifier(front_end, ResNet18(3, width=4, dropout=0.0))
    objective = SupervisedObjective(classifier, Augmentation(front_end, [0.1] * 6))
    batch = make()[1]
    quiet = objective(batch, training=False)
    np.testing.assert_array_equal(quiet["targets"], TARGETS)
    np.testing.assert_allclose(quiet["logits"], classifier(batch["windows"]), atol=1e-6)
    mixed = np.concatenate([np.asarray(objective(batch, training=True)["targets"]) for _ in range(8)])
    assert ((mixed > 0) & (mixed < 1)).any()
    np.testing.assert_allclose(mixed.sum(-1), 1, rtol=1e-6)


def test_teacher_sees_what_the_student_sees():
    """The same augmented picture: a teacher that is the student's twin gives the same logits."""
    objective, batch = make()
    seen = []
    objective.classifier.network.call = record(seen, objective.classifier.network.call)
    objective.teacher.network.call = record(seen, objective.teacher.network.call)
    objective(batch, training=True)
    tf.debugging.assert_equal(*seen)
    assert len(seen) == 2


def record(seen: list, call):
    def recorded(spectrogram, training=None):
        seen.append(spectrogram)
        return call(spectrogram, training=training)

    return recorded


def test_unknown_distillation_is_refused():
    with pytest.raises(ValueError, match="Received: distillation=medium"):
        make("medium")


@pytest.mark.parametrize("distillation", ["hard", "soft"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_with_labels_alone_self_training_is_distillation(
    distillation: str, weights: np.ndarray | None, rng: np.random.Generator
):
    values = outputs(rng)
    settings = {"label_smoothing": 0.3, "class_weights": weights, "teacher_share": 0.25, "temperature": 2.0}
    both = [make(distillation, kind, **settings)[0] for kind in (DistillationObjective, SelfTrainingObjective)]
    one, other = (float(objective.loss_of(values)) for objective in both)
    assert other == pytest.approx(one, rel=1e-5)


def test_of_an_unlabelled_window_the_teacher_alone_says_what_it_is(rng: np.random.Generator):
    """The third window is unlabelled, the last one a mixture with an unlabelled window."""
    targets = np.array([[1, 0, 0], [0, 0.4, 0.6], [0, 0, 0], [0, 0, 0.7]], np.float32)
    values = outputs(rng) | {"targets": targets}
    objective = make("soft", SelfTrainingObjective, label_smoothing=0.3, class_weights=WEIGHTS, teacher_share=0.25)[0]
    taught, student = np.exp(log_softmax(values["teacher"])), log_softmax(values["distillation"])
    labelled, of_class = 0.7 * targets + 0.1, log_softmax(values["class"])
    weights = [0.5, 0.4 * 1.0 + 0.6 * 4.0]
    of_label = -sum(w * labelled[i] @ of_class[i] for i, w in enumerate(weights)) / 2
    of_teacher = -sum(w * (0.25 * taught[i] + 0.75 * labelled[i]) @ student[i] for i, w in enumerate(weights))
    of_teacher -= taught[2] @ student[2] + taught[3] @ student[3]
    assert float(objective.loss_of(values)) == pytest.approx(0.5 * of_label + 0.5 * of_teacher / 4, rel=1e-5)
    none = float(objective.loss_of(values | {"targets": np.zeros((4, 3), np.float32)}))
    assert none == pytest.approx(0.5 * entropy(taught, values["distillation"]), rel=1e-5)


def test_the_class_head_learns_nothing_from_an_unlabelled_window(rng: np.random.Generator):
    targets = TARGETS * np.array([[1], [1], [0], [0]], np.float32)
    values = outputs(rng) | {"targets": targets}
    other = values["class"] + np.array([[0], [0], [5], [-5]], np.float32) * TARGETS
    objective = make("soft", SelfTrainingObjective, label_smoothing=0.1)[0]
    assert float(objective.loss_of(values | {"class": other})) == float(objective.loss_of(values))
