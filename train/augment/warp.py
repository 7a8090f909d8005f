"""Smooth stretching of a spectrogram along time or frequency."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, AxisLayer


@keras.saving.register_keras_serializable(PACKAGE)
class Warp(AxisLayer):
    """Move a random point along the axis and stretch what lies on either side, the ends held fast.

    The warp of SpecAugment with one control point, piecewise linear. The first bin stays exactly where it is: DC holds
    signed gravity and must not leak into the magnitudes beside it.

    Args:
        axis: ``"time"`` or ``"frequency"``.
        max_fraction: largest move of the control point over the length of the axis.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, bins, frames, channels]``.

    Reference: Park et al., SpecAugment, Interspeech 2019, section 2.
    """

    def __init__(self, axis: str = "time", max_fraction: float = 0.1, **kwargs: Any) -> None:
        super().__init__(axis, **kwargs)
        if not 0 <= max_fraction < 0.25:
            raise ValueError(f"`max_fraction` must keep the order of points. Received: max_fraction={max_fraction}")
        self.max_fraction = max_fraction

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Warp in training, else pass on."""
        if not training:
            return spectrogram
        weights = self._interpolation(spectrogram)
        spec = "bij,bjtc->bitc" if self.axis == "frequency" else "bij,bfjc->bfic"
        return ops.einsum(spec, weights, spectrogram)

    def _interpolation(self, spectrogram: Any) -> Any:
        """Linear interpolation matrices ``[batch, size, size]``: row i holds the weights of source positions."""
        size = spectrogram.shape[self._AXES[self.axis]]
        batch = ops.shape(spectrogram)[0]
        last = size - 1.0
        target = self.uniform((batch, 1), 0.25, 0.75) * last
        move = self.uniform((batch, 1), -self.max_fraction, self.max_fraction) * last
        source = target + move * ops.reshape(self.chosen(spectrogram), (batch, 1))
        position = ops.arange(size, dtype=spectrogram.dtype)
        before = position * source / target
        after = last - (last - position) * (last - source) / (last - target)
        warped = ops.where(position < target, before, after)
        if self.axis == "frequency":
            warped = ops.where(position < 1, position, ops.maximum(warped, 1.0))
        return ops.relu(1.0 - ops.abs(ops.expand_dims(warped, -1) - position))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
