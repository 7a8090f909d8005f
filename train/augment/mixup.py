"""Mixup: the weighted mean of two windows has the weighted mean of their targets."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, RandomLayer


@keras.saving.register_keras_serializable(PACKAGE)
class Mixup(RandomLayer):
    """Mix each window with the next of the batch: x ← (1 − λ) x + λ x′, targets alike, λ uniform.

    Args:
        max_share: largest share λ of the other window.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Call arguments: windows ``[batch, time, channels]`` and targets ``[batch, classes]`` (probabilities). The batch must
    be shuffled, since each example is mixed with its neighbour.

    Example:
        >>> mix = Mixup(rate=1.0, seed=0)
        >>> _, targets = mix(keras.ops.ones((4, 100, 6)), keras.ops.eye(4), training=True)
        >>> bool(keras.ops.all(keras.ops.abs(keras.ops.sum(targets, axis=1) - 1) < 1e-6))
        True

    Reference: Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, with λ uniform below one half.
    """

    def __init__(self, max_share: float = 0.5, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if not 0 <= max_share <= 1:
            raise ValueError(f"`max_share` must be in [0, 1]. Received: max_share={max_share}")
        self.max_share = max_share

    def call(self, windows: Any, targets: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Mix in training, else return the inputs."""
        if not training:
            return windows, targets
        batch = ops.shape(windows)[0]
        share = self.uniform((batch, 1, 1), 0.0, self.max_share) * self.chosen(windows)
        mixed = windows * (1.0 - share) + ops.roll(windows, 1, axis=0) * share
        share = ops.squeeze(share, axis=2)
        return mixed, targets * (1.0 - share) + ops.roll(targets, 1, axis=0) * share

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_share": self.max_share}
