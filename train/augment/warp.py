"""Warp of a spectrogram along time or frequency."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import PACKAGE, AxisLayer
from .sparse_image_warp import Points, sparse_image_warp

_LARGEST = 0.2


@keras.saving.register_keras_serializable(PACKAGE)
class Warp(AxisLayer):
    """Move a random point of the image's centre line along the axis; a sparse image warp moves its surroundings.

    Fixed are the corners of the image and the midpoints of the two edges at the ends of the axis. A warp along
    frequency excludes the first bin: DC holds signed gravity and must not leak into the neighbouring magnitudes. An
    image of one bin or one frame is no surface to warp, and stays as it is.

    Args:
        axis: ``"time"`` or ``"frequency"``.
        max_fraction: largest shift of the point, as a fraction of the axis, below 0.2; from 0.22 on, the image would
            fold if the point moves towards the nearer edge.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, bins, frames, channels]``.

    Example:
        >>> warp = Warp("frequency", max_fraction=0.1, rate=1.0, seed=0)
        >>> tuple(warp(keras.random.normal((8, 17, 25, 6), seed=0), training=True).shape)
        (8, 17, 25, 6)

    Reference: Park et al., SpecAugment, Interspeech 2019, section 2, with its six fixed points.
    """

    def __init__(self, axis: str = "time", max_fraction: float = 0.1, **kwargs: Any) -> None:
        super().__init__(axis, **kwargs)
        if not 0 <= max_fraction < _LARGEST:
            raise ValueError(f"`max_fraction` must be below {_LARGEST}. Received: max_fraction={max_fraction}")
        self.max_fraction = max_fraction

    def call(self, spectrogram: Any, training: bool | None = None) -> Any:
        """Warp in training, else return the input."""
        if not training:
            return spectrogram
        if self.axis == "time":
            return self._warp(spectrogram)
        return ops.concatenate([spectrogram[:, :1], self._warp(spectrogram[:, 1:])], axis=1)

    def _warp(self, picture: Any) -> Any:
        along = self._AXES[self.axis] - 1
        if min(picture.shape[1:3]) < 2:
            return picture
        ends = [picture.shape[1] - 1.0, picture.shape[2] - 1.0]
        batch = ops.shape(picture)[0]
        place = self.uniform((batch, 1, 1), 0.25, 0.75) * ends[along]
        move = self.uniform((batch, 1, 1), -self.max_fraction, self.max_fraction) * ends[along]
        move = move * ops.reshape(self.chosen(picture), (batch, 1, 1))
        centre = ops.full((batch, 1, 1), ends[1 - along] / 2)
        source, destination = (
            ops.concatenate([point, centre] if along == 0 else [centre, point], axis=-1)
            for point in (place - move, place)
        )
        return sparse_image_warp(picture, source, destination, _held(ends, along), (along,))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_fraction": self.max_fraction}


def _held(ends: list[float], along: int) -> Points:
    """Corners and midpoints of the two edges at the ends of the axis."""
    return tuple(
        (end, place) if along == 0 else (place, end)
        for end in (0.0, ends[along])
        for place in (0.0, ends[1 - along] / 2, ends[1 - along])
    )
