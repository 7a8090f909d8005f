"""Mirror image of a movement, as if the sensor were worn on the other side of the body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from .base import PACKAGE, RandomLayer

_AXES = ("x", "y", "z")


@keras.saving.register_keras_serializable(PACKAGE)
class Mirror(RandomLayer):
    """Reflect all three-axis sensors of an example along one axis, the one that points sideways on the body.

    A reflection inverts this component of the acceleration. Angular rate is an axial vector: this component stays and
    the other two are inverted. A magnetic field is an axial vector as well, but the earth's is not mirrored with the
    body: of a wearer mirrored in the vertical plane through north, the magnetometer reads what a polar vector would.

    Args:
        axis: ``"x"``, ``"y"`` or ``"z"``.
        axial: for each sensor whether it measures an axial vector, as a gyroscope does.
        rate: probability that an example is changed.
        seed: seed of the layer's generator.

    Input and output shape: ``[batch, time, channels]``, three channels a sensor.

    Example:
        >>> mirrored = Mirror("y", rate=1.0)(keras.ops.ones((1, 100, 6)), training=True)
        >>> [int(value) for value in mirrored[0, 0]]
        [1, -1, 1, -1, 1, -1]
    """

    def __init__(
        self,
        axis: str = "y",
        rate: float = 0.5,
        seed: int | None = None,
        axial: Sequence[bool] = (False, True),
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        if axis not in _AXES:
            raise ValueError(f"`axis` must be one of {_AXES}. Received: axis={axis}")
        self.axis = axis
        polar = np.where(np.arange(3) == _AXES.index(axis), -1.0, 1.0)
        self.axial = [bool(each) for each in axial]
        self._signs = np.concatenate([-polar if each else polar for each in self.axial]).astype(np.float32)

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Reflect in training, else return the input."""
        if not training:
            return windows
        chosen = self.chosen(windows)
        return windows * (chosen * self._signs + (1.0 - chosen))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "axis": self.axis, "axial": self.axial}
