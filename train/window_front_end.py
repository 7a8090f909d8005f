"""The front end of models on raw windows: only the scaling of the int8 graph's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from .front_end import quantise


@keras.saving.register_keras_serializable("deseptr")
class WindowScale(keras.layers.Layer):
    """Scale each channel by its input range and saturate at ±1.

    Args:
        input_range: SI value of each channel that counts as 1.0; larger values saturate, as in the int8 graph.

    Input shape: ``[batch, window_length, channels]`` in SI units.
    Output shape: the same.

    Example:
        >>> scale = WindowScale([20.0] * 3 + [5.0] * 3)
        >>> float(scale(np.full((1, 100, 6), 10.0, "float32"))[0, 0, 0])
        0.501960813999176
    """

    def __init__(self, input_range: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_range = [float(v) for v in input_range]
        self._divisor = np.asarray(self.input_range, np.float32)

    def call(self, windows: Any) -> Any:
        """Scale raw windows."""
        return quantise(windows / self._divisor)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Output shape for an input shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "input_range": self.input_range}
