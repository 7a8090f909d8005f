"""Masks of a band of a spectrogram."""

from __future__ import annotations

from typing import Any

import keras

from .base import PACKAGE, AxisLayer


@keras.saving.register_keras_serializable(PACKAGE)
class BandMask(AxisLayer):
    """Set a random band along time or frequency to zero.

    Args:
        axis: ``"time"`` or ``"frequency"``.
        max_fraction: largest width of the band, as a fraction of the axis.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, bins, frames, channels]``.

    Example:
        >>> masked = BandMask("time", max_fraction=0.2, rate=1.0, seed=0)(keras.ops.ones((8, 17, 25, 6)), training=True)
        >>> bool(keras.ops.mean(masked) >= 0.8)
        True

    Reference: Park et al., SpecAugment, Interspeech 2019, section 2.
    """

    def __init__(self, axis: str = "time", max_fraction: float = 0.2, **kwargs: Any) -> None:
        super().__init__(axis, **kwargs)
        self.max_fraction = max_fraction

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Mask in training, else return the input."""
        if not training:
            return spectrogram
        return spectrogram * (1.0 - self.random_band(spectrogram, self.max_fraction))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
