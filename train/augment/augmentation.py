"""The augmentation of a training run: which layers it has, and in which order."""

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
from .rate_jitter import RateJitter
from .rotation import Rotation
from .time_shift import TimeShift
from .warp import Warp

_AXES = ("time", "frequency")


class Augmentation(keras.layers.Layer):
    """The method's augmentation: what a sensor does to the window, then warps, masks and CutMix of its spectrogram.

    A part at 0 is off and isn't built.

    Args:
        front_end: layer from raw windows to spectrograms, or to scaled windows, which get the windows' parts alone.
        noise: largest noise level of each channel, SI units.
        shift: largest roll over the window's length.
        mirror: axis along which half of the windows are reflected, ``"x"``, ``"y"`` or ``"z"``, or ``"none"``.
        rotation_degrees: largest rotation of the axes.
        gain: largest error of a sensor's scale, as a share.
        rate_jitter: largest error of the sample rate, as a share.
        dropped_samples: longest run of lost samples over the window's length.
        warp: largest move of a warp along time and along frequency, over that axis.
        mask: widest mask along time and along frequency, over that axis.
        cutmix_rate: probability of CutMix along time, and of that along frequency.

    Call arguments: windows ``[batch, window_length, channels]`` and targets ``[batch, classes]``. Returns the
    front end's output, ``[batch, bins, frames, channels]`` or ``[batch, window_length, channels]``, and the mixed
    targets.
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.front_end = front_end
        sizes = {
            TimeShift: shift,
            Rotation: rotation_degrees,
            Gain: gain,
            RateJitter: rate_jitter,
            DroppedSamples: dropped_samples,
        }
        of_noise = [GaussianNoise(noise)] if any(noise) else []
        of_side = [] if mirror == "none" else [Mirror(mirror)]
        self.on_windows = of_noise + of_side + [part(size) for part, size in sizes.items() if size]
        warps_and_masks = [(part, size) for part, size in ((Warp, warp), (BandMask, mask)) if size]
        self.on_spectrograms = [part(axis, size) for part, size in warps_and_masks for axis in _AXES]
        self.cutmix = [BandCutMix(axis, rate=cutmix_rate) for axis in _AXES if cutmix_rate]

    def build(self, windows_shape: Any, targets_shape: Any = None) -> None:
        """Nothing to build: the layers hold no weights, and the front end is the classifier's."""
        self.built = True

    def call(self, windows: Any, targets: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Augment in training, else only transform."""
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
