"""Training objectives: augmentation, then the loss of a plain or a distilled classifier.

These models exist only during training. Their input is a mapping of raw windows and one-hot targets, because CutMix
and mixup change both; they override ``compute_loss``, which every Keras backend calls.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from .augment import Augmentation
from .classifier import WindowClassifier

DISTILLATIONS = ("hard", "soft")
_WHOLE = 0.999
_LEAST = 1e-6


class Objective(keras.Model):
    """Base class of the objectives.

    Args:
        classifier: the classifier to train.
        augmentation: the augmentation, which contains the same front end.
        label_smoothing: fraction of the target that is spread over all classes.
        class_weights: weight of each class, ``[class]``; all equal by default. An example that CutMix made of two
            classes has the weighted mean of their weights.

    Call argument: ``{"windows": [batch, window_length, channels], "targets": [batch, classes]}``; the windows have the
    margins of the augmentation.
    """

    def __init__(
        self,
        classifier: WindowClassifier,
        augmentation: Augmentation,
        label_smoothing: float = 0.0,
        class_weights: NDArray[np.float32] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classifier = classifier
        self.augmentation = augmentation
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights

    def build(self, input_shape: dict[str, tuple[int | None, ...]]) -> None:
        """Build the classifier for the windows' shape."""
        if not self.classifier.built:
            self.classifier.build(self.augmentation.window_shape(input_shape["windows"]))
        self.built = True

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Loss of the output of :meth:`call`; Keras' other arguments are not used."""
        return self.loss_of(y_pred)

    def loss_of(self, outputs: dict[str, Any]) -> Any:
        """Loss of the output of :meth:`call`."""
        raise NotImplementedError(f"{type(self).__name__}.loss_of")

    def truth_term(self, targets: Any, logits: Any) -> Any:
        """Cross-entropy of logits against the smoothed targets."""
        return cross_entropy(smooth(targets, self.label_smoothing), logits, self.example_weights(targets))

    def example_weights(self, targets: Any) -> Any:
        """Weight of each example, ``[batch]``; None if all are equal."""
        return None if self.class_weights is None else ops.matmul(targets, self.class_weights)


class SupervisedObjective(Objective):
    """Cross-entropy of a classifier with one head, on augmented examples."""

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Logits and mixed targets of a batch of ``{"windows", "targets"}``."""
        spectrogram, targets = self.augmentation(inputs["windows"], inputs["targets"], training=training)
        return {"targets": targets, "logits": self.classifier.logits(spectrogram, training=training)}

    def loss_of(self, outputs: dict[str, Any]) -> Any:
        """L = CE(y, logits)."""
        return self.truth_term(outputs["targets"], outputs["logits"])


class DistillationObjective(Objective):
    """DeiT's distillation loss, L = ½ CE(y, class head) + ½ CE(teacher, distillation head), on augmented examples.

    Args:
        student: classifier whose network has two heads.
        teacher: trained classifier with the same front end; it gets the same augmented window and is not trained.
        augmentation: the augmentation, which contains the same front end.
        distillation: ``"hard"``, the teacher's class, or ``"soft"``, the teacher's probabilities.
        temperature: soft distillation divides both logits by it; the term is scaled by its square.
        label_smoothing: fraction of the target that is spread over all classes.
        class_weights: weight of each class, in both terms.
        teacher_share: share of the teacher in the distillation head's target; the rest is the smoothed label's.

    Reference: Touvron et al., DeiT, ICML 2021, equations 2 and 3; the published DeSepTr uses soft at temperature 1.
    """

    def __init__(
        self,
        student: WindowClassifier,
        teacher: WindowClassifier,
        augmentation: Augmentation,
        distillation: str = "soft",
        temperature: float = 1.0,
        label_smoothing: float = 0.0,
        class_weights: NDArray[np.float32] | None = None,
        teacher_share: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(student, augmentation, label_smoothing, class_weights, **kwargs)
        if distillation not in DISTILLATIONS:
            raise ValueError(f"`distillation` must be one of {DISTILLATIONS}. Received: distillation={distillation}")
        self.teacher = teacher
        self.distillation = distillation
        self.temperature = temperature
        self.teacher_share = teacher_share

    def build(self, input_shape: dict[str, tuple[int | None, ...]]) -> None:
        """Build the student and freeze the teacher, including the layers created while it is built."""
        super().build(input_shape)
        if not self.teacher.built:
            self.teacher.build(self.augmentation.window_shape(input_shape["windows"]))
        self.teacher.trainable = False

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Logits of both heads and of the teacher, and mixed targets, of a batch of ``{"windows", "targets"}``."""
        spectrogram, targets = self.augmentation(inputs["windows"], inputs["targets"], training=training)
        of_class, of_distillation = self.classifier.logits(spectrogram, training=training)
        of_teacher = ops.stop_gradient(self.teacher.logits(spectrogram, training=False))
        return {"targets": targets, "class": of_class, "distillation": of_distillation, "teacher": of_teacher}

    def loss_of(self, outputs: dict[str, Any]) -> Any:
        """L = ½ CE(y, class head) + ½ CE(teacher, distillation head); a share of the second term is the label's."""
        targets, student = outputs["targets"], outputs["distillation"]
        taught = self._teacher_term(outputs["teacher"], student, self.example_weights(targets))
        if self.teacher_share < 1:
            taught = self.teacher_share * taught + (1 - self.teacher_share) * self.truth_term(targets, student)
        return 0.5 * self.truth_term(targets, outputs["class"]) + 0.5 * taught

    def _teacher_term(self, teacher: Any, student: Any, weights: Any) -> Any:
        if self.distillation == "hard":
            return cross_entropy(ops.one_hot(ops.argmax(teacher, axis=-1), teacher.shape[-1]), student, weights)
        soft = ops.softmax(teacher / self.temperature)
        return cross_entropy(soft, student / self.temperature, weights) * self.temperature**2


class SelfTrainingObjective(DistillationObjective):
    """Distillation on labelled and unlabelled windows; the labelled ones are learned from as without the others.

    An unlabelled window's target is all zeros. What it or a mixture with it is, the teacher says alone: its
    probabilities of the same augmented window are the distillation head's target, and the class head learns nothing
    from it. Its weight is 1, since the teacher has learned with class weights.

    Reference: Xie et al., Self-training with Noisy Student, CVPR 2020; Tang et al., SelfHAR, IMWUT 2021.
    """

    def loss_of(self, outputs: dict[str, Any]) -> Any:
        """L = ½ mean over labelled of CE(y, class head) + ½ mean over all of CE(target, distillation head)."""
        targets, student = outputs["targets"], outputs["distillation"]
        labelled = ops.cast(ops.sum(targets, axis=-1) > _WHOLE, "float32")
        weights = self.example_weights(targets)
        weights = labelled if weights is None else labelled * weights
        smoothed, share = smooth(targets, self.label_smoothing), self.teacher_share
        taught = self._teacher_term(outputs["teacher"], student, share * weights + (1.0 - labelled))
        if share < 1:
            taught = taught + (1 - share) * cross_entropy(smoothed, student, weights)
        some = ops.maximum(ops.mean(labelled), _LEAST)
        return 0.5 * cross_entropy(smoothed, outputs["class"], weights) / some + 0.5 * taught


class TwoHeadObjective(Objective):
    """Both heads learn from the labels, L = ½ CE(y, class head) + ½ CE(y, distillation head), on augmented examples.

    This is :class:`DistillationObjective` without a teacher: the same two tokens and heads, trained on labels only.
    """

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Logits of both heads and mixed targets of a batch of ``{"windows", "targets"}``."""
        spectrogram, targets = self.augmentation(inputs["windows"], inputs["targets"], training=training)
        of_class, of_distillation = self.classifier.logits(spectrogram, training=training)
        return {"targets": targets, "class": of_class, "distillation": of_distillation}

    def loss_of(self, outputs: dict[str, Any]) -> Any:
        """L = ½ CE(y, class head) + ½ CE(y, distillation head)."""
        targets = outputs["targets"]
        return 0.5 * (self.truth_term(targets, outputs["class"]) + self.truth_term(targets, outputs["distillation"]))


def smooth(targets: Any, share: float) -> Any:
    """Spread a fraction ``share`` of each target over all classes."""
    return targets * (1.0 - share) + share / targets.shape[-1]


def cross_entropy(targets: Any, logits: Any, weights: Any = None) -> Any:
    """Mean cross-entropy of logits ``[batch, classes]`` against target probabilities, weighted by ``[batch]``."""
    entropies = ops.categorical_crossentropy(targets, logits, from_logits=True)
    return ops.mean(entropies if weights is None else weights * entropies)
