"""The front end of models on two views of a window: the encoder of the contract, in float32 and inside the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from deseptr.contract import INPUT_STEPS, InputViews
from deseptr.contract.views import STEPS


@keras.saving.register_keras_serializable("deseptr")
class ViewEncoder(keras.layers.Layer):
    """Encode windows as :meth:`deseptr.contract.InputViews.encode` does, times 1/127.5.

    All numbers are integers below 2²⁴ until the last step, so that float32 gives the same views as the encoder of a
    device. The step of each channel is a weight that is not trained, so that the models of all folds of a
    cross-validation are one program.

    Args:
        input_range: SI value of each channel that counts as 1.0.
        history: samples before the window, one less than a power of two.
        thresholds: limits of the fine view's levels; by default those of :class:`InputViews`.

    Input shape: ``[batch, history + window_length, channels]`` in SI units.
    Output shape: ``[batch, window_length, 2 · channels]``, all coarse channels, then all fine channels.

    Example:
        >>> encoder = ViewEncoder([20.0] * 3 + [5.0] * 3)
        >>> tuple(encoder(np.zeros((8, 31 + 128, 6), "float32")).shape)
        (8, 128, 12)
    """

    def __init__(
        self, input_range: Sequence[float], history: int = 31, thresholds: Sequence[int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.input_range = [float(v) for v in input_range]
        self.history = history
        self.views = InputViews(history, InputViews().thresholds if thresholds is None else tuple(thresholds))
        self._thresholds = np.asarray(self.views.thresholds, np.float32)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the step of each channel, SI units."""
        self.step = self.add_weight(
            shape=(len(self.input_range),), initializer=self._steps, trainable=False, dtype="float32", name="step"
        )
        super().build(input_shape)

    def set_range(self, input_range: Sequence[float]) -> None:
        """Change the SI value that counts as 1.0 of each channel of a built encoder."""
        self.input_range = [float(v) for v in input_range]
        self.step.assign(self._steps(self.step.shape))

    def _steps(self, shape: Any, dtype: Any = None) -> Any:
        return ops.convert_to_tensor(np.float32(np.array(self.input_range) / STEPS))

    def call(self, windows: Any) -> Any:
        """Encode windows with their history."""
        steps = ops.clip(ops.round(windows / self.step), -32768.0, 32767.0)
        own = steps[:, self.history :]
        deviation = (self.history + 1.0) * own - self._trailing_sums(steps)
        coarse = ops.minimum(ops.floor((own + 128.0) / 256.0), 127.0)
        return ops.concatenate([coarse, ops.sign(deviation) * self._level(ops.abs(deviation))], axis=-1) / INPUT_STEPS

    def _trailing_sums(self, values: Any) -> Any:
        done = 1
        while done <= self.history:
            values = values[:, done:] + values[:, :-done]
            done *= 2
        return values

    def _level(self, sizes: Any) -> Any:
        level = ops.searchsorted(self._thresholds, ops.reshape(sizes, (-1,)), side="right")
        return ops.cast(ops.reshape(level, ops.shape(sizes)), sizes.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Output shape for an input shape."""
        batch, length, channels = input_shape
        return (batch, None if length is None else length - self.history, None if channels is None else 2 * channels)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {"input_range": self.input_range, "history": self.history, "thresholds": list(self.views.thresholds)}
        return {**super().get_config(), **own}
