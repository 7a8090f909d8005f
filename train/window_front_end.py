"""The front end of models on raw windows: nothing but the scale that the int8 graph's input has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from .front_end import quantise


@keras.saving.register_keras_serializable("deseptr")
class WindowScale(keras.layers.Layer):
    """Each channel over its input range, saturated at ±1.

    Args:
        input_range: SI value of each channel that counts as 1.0; larger values saturate, as in the int8 graph.

    Input shape: ``[batch, window_length, channels]`` in SI units.
    Output shape: the same.
    """

    def __init__(self, input_range: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_range = [float(v) for v in input_range]
        self._divisor = np.asarray(self.input_range, np.float32)

    def call(self, windows: Any) -> Any:
        """Scale raw windows."""
        return quantise(windows / self._divisor)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for an input shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        return {**super().get_config(), "input_range": self.input_range}
