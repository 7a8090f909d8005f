"""The correction of a model's logits for one wearer, in closed form.

For a window with features ``x`` (its embedding, or its logits where there is none) an affine map of ``x`` is added to
its logits ``z``. The map is the ridge regression of ``GAIN · (one-hot − softmax(z))`` on what was recorded, with the
kernel ``(x·y / s + OFFSET) / (1 + OFFSET)`` and ``s`` the mean of ``|x|²``. Each recorded window is a prototype that
pulls by as much as the model is wrong about it, and the trained heads are the prior: with nothing recorded, or nothing
wrong, nothing changes, and a label pulls the more, the more of it was recorded.

Classes that were not recorded keep their probability: the softmax is that over the recorded ones, and their corrected
logits are shifted so that the sum of their exponentials is what it was. Otherwise a label that was recorded would take
over activities that look like it and were not, of which nothing in the recordings warns.

The map is fitted to the logits of the graph and, as they are, divided by the model's temperature: a model that is
calibrated is corrected as much as before. So is ``MARGIN``.

A new label's logit is the largest of the model's, plus ``MARGIN · v``. This ``v`` is 1 near what was recorded as that
label and -1 elsewhere: a ridge regression with a Gaussian kernel, which cannot reach activities that look otherwise
and were not recorded. To the features, statistics of the samples are added: a network that never learned to lie keeps
little of what tells lying from sitting, which the direction of gravity does. Rasmussen and Williams, "Gaussian
Processes for Machine Learning", 2006: equation 2.25.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import softmax

from .recorded import Recorded

Array = NDArray[np.float64]

# On whom these were chosen, `benchmarks/README.md` says.
GAIN, RIDGE, OFFSET = 4.0, 1.0, 0.5
MARGIN, NEW_RIDGE, NEW_REACH = 4.0, 1.0, 1.0
# Weight of the statistics beside the features.
STATISTICS = 0.5
# Added to the spread of a statistic over the windows, so that one that hardly varies does not rule.
_STEADY = 0.1
_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class Correction:
    """A fitted correction.

    Args:
        weights: ``[feature, class]``.
        bias: ``[class]``.
        classes: the classes that were recorded, in ascending order.
        looks: scales features and statistics of windows for distances between them.
        near: ``[window, look]`` what was recorded, where there is a new label.
        pulls: ``[window, new label]``, weights of the Gaussians around them.
        margin: ``MARGIN`` over the model's temperature.
    """

    weights: Array
    bias: Array
    classes: NDArray[np.int64]
    looks: Looks
    near: Array
    pulls: Array
    margin: float

    def apply(
        self,
        logits: NDArray[np.floating],
        features: NDArray[np.floating],
        statistics: NDArray[np.floating] | None = None,
    ) -> Array:
        """Corrected logits ``[…, class + new label]``.

        Args:
            logits: ``[…, class]``.
            features: ``[…, feature]``.
            statistics: ``[…, statistic]``; needed with a new label only.
        """
        own = np.array(logits, np.float64)
        before = own[..., self.classes]
        after = before + (features @ self.weights + self.bias)[..., self.classes]
        own[..., self.classes] = after + _log_sum_exp(before) - _log_sum_exp(after)
        if not self.pulls.shape[1]:
            return own
        likeness = _gaussian(np.atleast_2d(self.looks.of(features, statistics)), self.near) @ self.pulls - 1.0
        new = own.max(axis=-1, keepdims=True) + self.margin * likeness.reshape(*own.shape[:-1], -1)
        return np.concatenate([own, new], axis=-1)


@dataclass(frozen=True, eq=False)
class Looks:
    """Puts features and statistics of windows on one scale, so that their distance is about 1 between activities.

    Args:
        length: root of the mean square of the length of the features.
        centre: mean of each statistic over what was recorded.
        spread: its standard deviation, and a little.
    """

    length: float
    centre: Array
    spread: Array

    def of(self, features: NDArray[np.floating], statistics: NDArray[np.floating] | None) -> Array:
        """``[…, look]`` of features ``[…, feature]`` and statistics ``[…, statistic]``."""
        own = np.asarray(features, np.float64) / self.length
        if statistics is None or not len(self.centre):
            return own
        scaled = (np.asarray(statistics, np.float64) - self.centre) / self.spread
        return np.concatenate([own, STATISTICS / np.sqrt(len(self.centre)) * scaled], axis=-1)


def fit_correction(recorded: Recorded, temperature: float, new_labels: int) -> Correction:
    """Fit the correction to what was recorded.

    Args:
        recorded: at least one window.
        temperature: of the model, by which the logits that are corrected were divided.
        new_labels: number of labels that the model lacks.
    """
    known = recorded.take(recorded.labels < recorded.classes)
    features = _features(recorded, temperature)
    scale = max(_SMALLEST, float((features**2).sum(axis=1).mean()))
    weights, bias = _affine(known, features[recorded.labels < recorded.classes], scale)
    statistics = np.asarray(recorded.statistics, np.float64)
    looks = Looks(float(np.sqrt(scale)), statistics.mean(axis=0), statistics.std(axis=0) + _STEADY)
    near, pulls = np.zeros((0, 0)), np.zeros((0, new_labels))
    if new_labels:
        near = looks.of(features, statistics)
        wanted = 2.0 * (recorded.labels[:, None] == recorded.classes + np.arange(new_labels))
        pulls = np.linalg.solve(_gaussian(near, near) + NEW_RIDGE * np.eye(len(near)), wanted)
    weights, bias = weights / temperature, bias / temperature
    return Correction(weights, bias, np.unique(known.labels), looks, near, pulls, MARGIN / temperature)


def _affine(known: Recorded, features: Array, scale: float) -> tuple[Array, Array]:
    """Weights and bias of the ridge regression, solved over the features, whose number does not grow."""
    recorded = np.isin(np.arange(known.classes), known.labels)
    missing = GAIN * (np.eye(known.classes)[known.labels] - softmax(np.where(recorded, known.logits, -np.inf)))
    of_feature, of_bias = (1.0 / np.sqrt((1.0 + OFFSET) * each) for each in (scale, 1.0 / OFFSET))
    design = np.concatenate([features * of_feature, np.full((len(known), 1), of_bias)], axis=1)
    solved = np.linalg.solve(design.T @ design + RIDGE * np.eye(design.shape[1]), design.T @ missing)
    return solved[:-1] * of_feature, solved[-1] * of_bias


def _features(recorded: Recorded, temperature: float) -> Array:
    own = np.asarray(recorded.features, np.float64)
    return own if recorded.embeddings.shape[1] else own / temperature


def _log_sum_exp(logits: Array) -> Array:
    if not logits.shape[-1]:
        return np.zeros((*logits.shape[:-1], 1))
    return np.asarray(np.logaddexp.reduce(logits, axis=-1, keepdims=True))


def _gaussian(first: Array, second: Array) -> Array:
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2.0 * first @ second.T
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / (2.0 * NEW_REACH)))
