"""The spectrogram of both views of a window, whitened by gains that are measured in the training data."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from deseptr.contract import StftSpec
from deseptr.train.front_end import SATURATION, dft_kernels

PACKAGE = "deseptr"
VIEWS = 2
SCALE = 3.0
_PERCENTILE = 99.9


@keras.saving.register_keras_serializable(PACKAGE)
class ViewSpectrogram(layers.Layer):
    """Lowest bins of the spectrogram of each view and channel: signed DC and rectified projections.

    The gain of each view and bin is a weight that is not trained; :meth:`adapt` sets it so that the largest projections
    just saturate. Frames are independent of each other, so that a stream computes each frame once.

    Args:
        frame_length: samples in a frame.
        frame_step: samples between the starts of frames.
        bins: number of bins, the first of which is DC.

    Input shape: ``[batch, window_length, 2 · channels]``: all coarse channels, then all fine channels, within ±1.
    Output shape: ``[batch, frames, bins, 2 · channels]``, time first.

    Example:
        >>> tuple(ViewSpectrogram()(keras.ops.zeros((8, 128, 12))).shape)
        (8, 25, 12, 12)

    Reference: :class:`deseptr.train.front_end.DftSpectrogram` with two directions.
    """

    def __init__(self, frame_length: int = 32, frame_step: int = 4, bins: int = 12, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.bins = bins
        self.spec = StftSpec(frame_length, frame_step, 2)
        if not 1 <= bins < self.spec.bins:
            raise ValueError(f"`bins` must be between 1 and {self.spec.bins - 1}. Received: bins={bins}")
        analysis, synthesis = dft_kernels(self.spec)
        self.bin_of = synthesis.argmax(axis=1)
        kept = self.bin_of < bins
        self.bin_of = self.bin_of[kept]
        self.analysis: NDArray[np.float32] = analysis[:, kept]
        self.synthesis: NDArray[np.float32] = synthesis[kept, :bins] / np.float32(SCALE)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the gains, ``[views, bins]``, all 1."""
        self.gain = self.add_weight(shape=(VIEWS, self.bins), initializer="ones", trainable=False, name="gain")
        super().build(input_shape)

    def adapt(self, views: NDArray[np.float32]) -> None:
        """Set the gains so that 0.1 % of each view's projections saturate in each bin.

        Args:
            views: ``[window, window_length, 2 · channels]`` of the training data.
        """
        largest = np.abs(np.asarray(self.project(views))).reshape(-1, VIEWS, views.shape[-1] // VIEWS, len(self.bin_of))
        by_bin = [np.percentile(largest[..., self.bin_of == k], _PERCENTILE, axis=(0, 2, 3)) for k in range(self.bins)]
        self.gain.assign(SATURATION / np.maximum(np.stack(by_bin, axis=1), 1e-5))

    def project(self, views: Any) -> Any:
        """Projections ``[batch, frames, 2 · channels, projections]`` before gain and saturation."""
        kernel = ops.cast(self.analysis[:, None, None, :], views.dtype)
        return ops.conv(ops.expand_dims(views, -1), kernel, strides=(self.frame_step, 1), padding="valid")

    def call(self, views: Any) -> Any:
        """Compute the spectrogram of encoded windows."""
        by_projection = ops.concatenate([self.gain[:, :1], ops.repeat(self.gain[:, 1:], 2, axis=1)], axis=1)
        gain = ops.repeat(by_projection, views.shape[-1] // VIEWS, axis=0)
        saturated = ops.clip(self.project(views) * gain, -SATURATION, SATURATION)
        rectified = ops.concatenate([saturated[..., :1], ops.abs(saturated[..., 1:])], axis=-1)
        return ops.swapaxes(ops.matmul(rectified, ops.cast(self.synthesis, rectified.dtype)), 2, 3)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Output shape for an input shape."""
        batch, length, channels = input_shape
        return (batch, None if length is None else self.spec.frames(length), self.bins, channels)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("frame_length", "frame_step", "bins")}
        return {**super().get_config(), **own}
