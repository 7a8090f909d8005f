"""CutMix along one axis of a spectrogram: a band is replaced by that of another example."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, AxisLayer


@keras.saving.register_keras_serializable(PACKAGE)
class BandCutMix(AxisLayer):
    """Replace a random band along time or frequency by that of the next example and mix the targets accordingly.

    Args:
        axis: ``"time"`` or ``"frequency"``.
        max_fraction: largest width of the band, as a fraction of the axis.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Call arguments: spectrogram ``[batch, bins, frames, channels]`` and targets ``[batch, classes]`` (probabilities).
    The batch must be shuffled, since each example is mixed with its neighbour.

    Example:
        >>> mix = BandCutMix("time", rate=1.0, seed=0)
        >>> _, targets = mix(keras.ops.ones((4, 17, 25, 6)), keras.ops.eye(4), training=True)
        >>> bool(keras.ops.all(keras.ops.abs(keras.ops.sum(targets, axis=1) - 1) < 1e-6))
        True

    Reference: Yun et al., CutMix, ICCV 2019, with the cut along one axis.
    """

    def __init__(self, axis: str = "time", max_fraction: float = 0.5, **kwargs: Any) -> None:
        super().__init__(axis, **kwargs)
        self.max_fraction = max_fraction

    def call(self, spectrogram: Any, targets: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Mix in training, else return the inputs."""
        if not training:
            return spectrogram, targets
        band = self.random_band(spectrogram, self.max_fraction)
        share = ops.mean(band, axis=(1, 2, 3))[:, None]
        mixed = spectrogram * (1.0 - band) + ops.roll(spectrogram, 1, axis=0) * band
        return mixed, targets * (1.0 - share) + ops.roll(targets, 1, axis=0) * share

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}
