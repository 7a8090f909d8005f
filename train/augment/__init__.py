"""Augmentation layers: active in training alone, seeded, one a file; ``Augmentation`` puts them in order."""

from .augmentation import Augmentation
from .base import AxisLayer, RandomLayer
from .cutmix import BandCutMix
from .dropped_samples import DroppedSamples
from .gain import Gain
from .gaussian_noise import GaussianNoise
from .mask import BandMask
from .mirror import Mirror
from .rate_jitter import RateJitter
from .rotation import Rotation
from .sparse_image_warp import dense_image_warp, sparse_image_warp, spline_flow
from .time_shift import TimeShift
from .warp import Warp

__all__ = [
    "Augmentation",
    "AxisLayer",
    "BandCutMix",
    "BandMask",
    "DroppedSamples",
    "Gain",
    "GaussianNoise",
    "Mirror",
    "RandomLayer",
    "RateJitter",
    "Rotation",
    "TimeShift",
    "Warp",
    "dense_image_warp",
    "sparse_image_warp",
    "spline_flow",
]
