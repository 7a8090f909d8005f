"""One teacher out of several: the mean of their probabilities on the same augmented window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from deseptr.contract import ModelError

from .classifier import WindowClassifier

_SMALLEST = 1e-9


class TeacherEnsemble(keras.Model):
    """Several classifiers on one front end, whose probabilities are averaged.

    It exists only during training; each member has a checkpoint of its own.

    Args:
        members: trained classifiers with equal front ends, of which the first one's is used.

    Input shape: ``[batch, window_length, channels]`` in SI units.
    Output shape: ``[batch, classes]``, the logarithm of the mean probabilities.

    Reference: Hinton et al., Distilling the Knowledge in a Neural Network, NIPS 2014 workshop.
    """

    def __init__(self, members: Sequence[WindowClassifier], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = list(members)

    @property
    def front_end(self) -> keras.layers.Layer:
        """The front end of all members."""
        return self.members[0].front_end

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the members."""
        for member in self.members:
            if not member.built:
                member.build(input_shape)
        self.built = True

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Logarithm of the mean probabilities of raw windows."""
        return self.logits(self.front_end(windows), training=training)

    def logits(self, features: Any, training: bool | None = None) -> Any:
        """Logarithm of the mean probabilities of the front end's output; float32."""
        each = [ops.softmax(member.chosen(member.logits(features, training=training))) for member in self.members]
        return ops.log(ops.maximum(sum(each) / len(each), _SMALLEST))

    def in_precision(self, precision: str) -> TeacherEnsemble:
        """This ensemble with every member's network computing in ``precision``."""
        members = [member.in_precision(precision) for member in self.members]
        if all(new is old for new, old in zip(members, self.members, strict=True)):
            return self
        return TeacherEnsemble(members)


Teacher = WindowClassifier | TeacherEnsemble
Named = Sequence[tuple[str, WindowClassifier]]


def joined(named: Named) -> Teacher:
    """The only teacher, or an ensemble of all, which are named for messages.

    Raises:
        ModelError: if their front ends differ.
    """
    first = _settings(named[0][1])
    for name, classifier in named[1:]:
        if _settings(classifier) != first:
            raise ModelError(
                f"teacher {name}",
                found="another input range or spectrogram than the first teacher's",
                expected="teachers that get the same input",
                next_step="train them on the same data and subjects with the same input options",
            )
    members = [classifier for _, classifier in named]
    if len(members) == 1:
        return members[0]
    return TeacherEnsemble(members)


def _settings(classifier: WindowClassifier) -> dict[str, Any]:
    front_end = classifier.front_end
    return {**front_end.get_config(), "name": type(front_end).__name__}
