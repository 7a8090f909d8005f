"""The spectrogram front end: a DFT as two convolutions, so that it fits into an int8 graph.

``tf.signal.stft`` becomes RFFT2D and COMPLEX_ABS in a flatbuffer, for which no int8 runtime has kernels. Here a strided
convolution projects each frame onto several directions of every bin's phasor, and a weighted sum of the rectified
projections approximates the magnitude. The kernels are constants; ``deseptr.convert`` reads them from
:func:`dft_kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, StftSpec

SATURATION = 6.0


def dft_kernels(spec: StftSpec) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernels of the transform: frame → projections → bins.

    A sine of amplitude A at the centre of a bin gives about A in that bin; the DC bin is the signed, Hann-weighted
    mean. All other kernels have zero mean, which removes the mean of the frame: gravity would otherwise leak through
    the Hann window into the first bin, which holds the step rate of walking.

    Returns:
        ``analysis`` ``[frame_length, projections]``: Hann window times cos(ωn + θ), for every bin and direction θ; DC
        and Nyquist are real and have one projection each.
        ``synthesis`` ``[projections, bins]``: the weights that sum the rectified projections of a bin. Column 0 selects
        the DC projection, which is not rectified: its sign is the sign of gravity along the axis and shows posture.
    """
    length, directions = spec.frame_length, spec.directions
    sample = np.arange(length)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * sample / length)
    window /= window.sum()
    analysis, synthesis = [window], [(0, 1.0)]
    for k in range(1, spec.bins):
        real_bin = 2 * k == length
        angles = [0.0] if real_bin else np.pi * np.arange(directions) / directions
        weight = 1.0 if real_bin else np.pi / directions
        for angle in angles:
            kernel = window * np.cos(2 * np.pi * k * sample / length + angle)
            analysis.append(kernel - kernel.mean())
            synthesis.append((k, weight))
    sums = np.zeros((len(synthesis), spec.bins))
    for row, (k, weight) in enumerate(synthesis):
        sums[row, k] = weight
    return np.stack(analysis, axis=1).astype(np.float32), sums.astype(np.float32)


@keras.saving.register_keras_serializable("deseptr")
class DftSpectrogram(keras.layers.Layer):
    """Spectrogram of a raw window by convolution, whitened by a gain for each bin, at several levels.

    Projections saturate at ±6, which costs nothing in int8 graphs (RELU6): rare peaks, several times larger than all
    other values, would otherwise cost two bits of resolution. Walking is a hundred times stronger than the body sway
    that separates standing from sitting, and a logarithm, the usual remedy, loses too much in int8. The spectrogram is
    therefore computed at several levels: the first shows strong motion as it is; the others amplify weak motion while
    strong motion saturates. DC, which shows posture, is in the first level only.

    Args:
        spec: the transform, a :class:`StftSpec` or its fields as a mapping.
        input_range: SI value of each channel that counts as 1.0; larger values saturate, as in the int8 graph.
        gain: factor of each bin before the saturation; whitening keeps gravity in the DC bin from dominating.
        levels: factor of each level, applied on top of the gain.

    Input shape: ``[batch, window_length, channels]`` in SI units.
    Output shape: ``[batch, bins, frames, channels · levels]``, the levels of a channel side by side.

    Example:
        >>> front_end = DftSpectrogram(StftSpec(32, 4), [40.0] * 3 + [10.0] * 3, levels=[1.0, 16.0])
        >>> tuple(front_end(np.zeros((8, 128, 6), "float32")).shape)
        (8, 17, 25, 12)

    Reference: ``scipy.signal.stft`` with scaling "spectrum", no padding, and detrend "constant" except for DC. Below
    saturation, the result is within -5.2 to +2.6 % of its magnitudes (doubled except for DC and Nyquist) for four
    directions.
    """

    def __init__(
        self,
        spec: StftSpec | dict[str, int],
        input_range: Sequence[float],
        gain: Sequence[float] | None = None,
        levels: Sequence[float] = (1.0,),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.spec = spec if isinstance(spec, StftSpec) else StftSpec(**spec)
        self.input_range = [float(v) for v in input_range]
        self.gain = [1.0] * self.spec.bins if gain is None else [float(v) for v in gain]
        self.levels = [float(v) for v in levels]
        if len(self.gain) != self.spec.bins:
            raise ValueError(f"`gain` must have a value per bin. Received: {len(self.gain)} for {self.spec.bins} bins")
        analysis, synthesis = dft_kernels(self.spec)
        self._analysis = (analysis * np.asarray(self.gain, np.float32)[synthesis.argmax(axis=1)])[:, None, None, :]
        self._synthesis = synthesis
        self._divisor = np.asarray(self.input_range, np.float32)

    def project(self, windows: Any) -> Any:
        """Projections ``[batch, frames, channels, projections]`` of raw windows at level 1, before saturation."""
        scaled = quantise(windows / self._divisor)
        return ops.conv(ops.expand_dims(scaled, -1), self._analysis, strides=(self.spec.frame_step, 1), padding="valid")

    def call(self, windows: Any) -> Any:
        """Compute the spectrogram of raw windows."""
        projections = self.project(windows)
        bins = ops.stack([self._magnitudes(projections, level) for level in self.levels], axis=-1)
        spectrogram = ops.transpose(bins, (0, 3, 1, 2, 4))
        return ops.reshape(spectrogram, (-1, *self.compute_output_shape(windows.shape)[1:]))

    def _magnitudes(self, projections: Any, level: float) -> Any:
        saturated = ops.clip(projections * level, -SATURATION, SATURATION)
        dc = saturated[..., :1] if level == self.levels[0] else ops.zeros_like(saturated[..., :1])
        return ops.matmul(ops.concatenate([dc, ops.abs(saturated[..., 1:])], axis=-1), self._synthesis)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Output shape for an input shape."""
        batch, length, channels = input_shape
        if length is None or channels is None:
            raise ValueError(f"Window length and channels must be known. Received: input_shape={input_shape}")
        return (batch, self.spec.bins, self.spec.frames(length), channels * len(self.levels))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        spec = {name: getattr(self.spec, name) for name in ("frame_length", "frame_step", "directions")}
        own = {name: getattr(self, name) for name in ("input_range", "gain", "levels")}
        return {**super().get_config(), "spec": spec, **own}


def quantise(scaled: Any) -> Any:
    """Round scaled windows to the 256 steps of an int8 input, so that training includes the quantization noise."""
    return ops.clip(ops.round(scaled * INPUT_STEPS), -128.0, 127.0) / INPUT_STEPS
