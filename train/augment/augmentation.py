"""The augmentation of a training run: its layers and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from .cutmix import BandCutMix
from .dropped_samples import DroppedSamples
from .gain import Gain
from .gaussian_noise import GaussianNoise
from .mask import BandMask
from .mirror import Mirror
from .mixup import Mixup
from .rate_jitter import RateJitter
from .rotation import Rotation
from .sample_shift import SampleShift
from .time_shift import TimeShift
from .time_warp import TimeWarp
from .warp import Warp

_AXES = ("time", "frequency")


class Augmentation(keras.layers.Layer):
    """All augmentation of the method.

    Its order is: shift, warp along time and mixup of windows; sensor effects; warps, masks and CutMix of spectrograms.
    A part whose size is 0 is left out.

    Args:
        front_end: layer from raw windows to spectrograms, or to scaled windows or views, which get the window parts
            only.
        noise: largest noise level of each channel, SI units.
        shift: largest circular shift, as a fraction of the window.
        mirror: axis along which half of the windows are reflected, ``"x"``, ``"y"`` or ``"z"``, or ``"none"``.
        rotation_degrees: largest rotation of the axes.
        gain: largest error of a sensor's scale, as a fraction.
        rate_jitter: largest error of the sample rate, as a fraction.
        dropped_samples: longest run of lost samples, as a fraction of the window.
        warp: largest shift of a warp along time and along frequency, as a fraction of that axis.
        mask: widest mask along time and along frequency, as a fraction of that axis.
        cutmix_rate: probability of CutMix along time, and of CutMix along frequency.
        shift_samples: largest shift within the recording; windows have as many samples too many at either end.
        time_warp_samples: largest displacement of a warp along time.
        mixup_rate: probability of mixup.
        sensor_rate: probability of a rotation, and of errors of the sensors' scales.
        axial: for each sensor whether it measures an axial vector, see :class:`Mirror`.

    Call arguments: windows ``[batch, window_length + 2 · shift_samples, channels]`` and targets ``[batch, classes]``.
    Returns the front end's output, ``[batch, bins, frames, channels]`` or ``[batch, window_length, channels]``, and the
    mixed targets.

    Example:
        >>> from deseptr.train.window_front_end import WindowScale
        >>> augmentation = Augmentation(WindowScale([40.0] * 3 + [10.0] * 3), noise=[0.1] * 6, gain=0.05)
        >>> windows, targets = augmentation(keras.ops.ones((8, 100, 6)), keras.ops.eye(8), training=True)
        >>> tuple(windows.shape)
        (8, 100, 6)
    """

    def __init__(
        self,
        front_end: keras.layers.Layer,
        noise: Sequence[float],
        shift: float = 0.5,
        mirror: str = "none",
        rotation_degrees: float = 10.0,
        gain: float = 0.0,
        rate_jitter: float = 0.0,
        dropped_samples: float = 0.0,
        warp: float = 0.1,
        mask: float = 0.2,
        cutmix_rate: float = 0.1,
        shift_samples: int = 0,
        time_warp_samples: float = 0.0,
        mixup_rate: float = 0.0,
        sensor_rate: float = 0.5,
        axial: Sequence[bool] = (False, True),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.front_end = front_end
        self.shift_samples = shift_samples
        self.in_time = [SampleShift(shift_samples)] if shift_samples else []
        self.in_time += [TimeWarp(time_warp_samples)] if time_warp_samples else []
        self.mixup = [Mixup(rate=mixup_rate)] if mixup_rate else []
        sizes: list[tuple[Any, float, float]] = [
            (TimeShift, shift, 0.5),
            (Rotation, rotation_degrees, sensor_rate),
            (Gain, gain, sensor_rate),
            (RateJitter, rate_jitter, 0.5),
            (DroppedSamples, dropped_samples, 0.5),
        ]
        noise_layers = [GaussianNoise(noise)] if any(noise) else []
        mirror_layers = [] if mirror == "none" else [Mirror(mirror, axial=axial)]
        self.on_windows = noise_layers + mirror_layers + [part(size, rate=rate) for part, size, rate in sizes if size]
        warps_and_masks = [(part, size) for part, size in ((Warp, warp), (BandMask, mask)) if size]
        self.on_spectrograms = [part(axis, size) for part, size in warps_and_masks for axis in _AXES]
        self.cutmix = [BandCutMix(axis, rate=cutmix_rate) for axis in _AXES if cutmix_rate]

    def build(self, windows_shape: Any, targets_shape: Any = None) -> None:
        """Build nothing: the layers have no weights, and the front end belongs to the classifier."""
        self.built = True

    def window_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the windows that the front end gets, for windows with margins."""
        batch, length, channels = input_shape
        return (batch, None if length is None else length - 2 * self.shift_samples, channels)

    def call(self, windows: Any, targets: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Augment in training, else only cut the margins off and apply the front end."""
        for layer in self.in_time:
            windows = layer(windows, training=training)
        for layer in self.mixup:
            windows, targets = layer(windows, targets, training=training)
        for layer in self.on_windows:
            windows = layer(windows, training=training)
        spectrogram = self.front_end(windows)
        if len(spectrogram.shape) == 3:
            return spectrogram, targets
        for layer in self.on_spectrograms:
            spectrogram = layer(spectrogram, training=training)
        for layer in self.cutmix:
            spectrogram, targets = layer(spectrogram, targets, training=training)
        return spectrogram, targets
