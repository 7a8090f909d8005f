"""Augmentation layers: active in training alone, seeded, one a file."""

from .base import AxisLayer, RandomLayer
from .cutmix import BandCutMix
from .gaussian_noise import GaussianNoise
from .mask import BandMask
from .time_shift import TimeShift
from .warp import Warp

__all__ = ["AxisLayer", "BandCutMix", "BandMask", "GaussianNoise", "RandomLayer", "TimeShift", "Warp"]
