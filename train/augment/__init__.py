"""Augmentation layers: active in training alone, seeded, one a file."""

from .base import AxisLayer, RandomLayer
from .cutmix import BandCutMix
from .gaussian_noise import GaussianNoise
from .mask import BandMask
from .rotation import Rotation
from .time_shift import TimeShift
from .warp import Warp

__all__ = ["AxisLayer", "BandCutMix", "BandMask", "GaussianNoise", "RandomLayer", "Rotation", "TimeShift", "Warp"]
