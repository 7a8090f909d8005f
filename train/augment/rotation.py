"""Rotation of the sensor's axes, as if the wearable were put on slightly askew."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from .base import PACKAGE, RandomLayer

_CROSS = np.zeros((3, 3, 3), np.float32)
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _CROSS[_i, _k, _j], _CROSS[_i, _j, _k] = 1.0, -1.0


@keras.saving.register_keras_serializable(PACKAGE)
class Rotation(RandomLayer):
    """Rotate all three-axis sensors of an example together about a random axis: gravity and the earth's field alike.

    Args:
        max_degrees: largest angle.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``, three channels per sensor.

    Example:
        >>> rotated = Rotation(max_degrees=10.0, rate=1.0, seed=0)(keras.ops.ones((8, 100, 6)), training=True)
        >>> bool(keras.ops.all(keras.ops.abs(keras.ops.norm(rotated[..., :3], axis=-1) - 3**0.5) < 1e-5))
        True

    Reference: Rodrigues' formula, R = I + sin φ K + (1 − cos φ) K², K the cross-product matrix of the unit axis.
    """

    def __init__(self, max_degrees: float = 10.0, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.max_degrees = max_degrees

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Rotate in training, else return the input."""
        if not training:
            return windows
        batch, length, channels = ops.shape(windows)[0], windows.shape[1], windows.shape[2]
        limit = self.max_degrees * np.pi / 180
        angle = self.uniform((batch, 1, 1), 0.0, limit) * self.chosen(windows)
        direction = keras.random.normal((batch, 3), seed=self.seed_generator, dtype=windows.dtype)
        cross = ops.einsum("bk,kij->bij", ops.normalize(direction, axis=-1), _CROSS)
        rotation = np.eye(3, dtype="float32") + ops.sin(angle) * cross + (1 - ops.cos(angle)) * ops.matmul(cross, cross)
        sensors = ops.reshape(windows, (batch, length * (channels // 3), 3))
        return ops.reshape(ops.matmul(sensors, ops.swapaxes(rotation, 1, 2)), (batch, length, channels))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "max_degrees": self.max_degrees}
