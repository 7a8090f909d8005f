"""Augmentation layers: active only in training, seeded, one per file; ``Augmentation`` combines them."""

from .augmentation import Augmentation as Augmentation
from .base import AxisLayer as AxisLayer, RandomLayer as RandomLayer
from .cutmix import BandCutMix as BandCutMix
from .dropped_samples import DroppedSamples as DroppedSamples
from .gain import Gain as Gain
from .gaussian_noise import GaussianNoise as GaussianNoise
from .mask import BandMask as BandMask
from .mirror import Mirror as Mirror
from .mixup import Mixup as Mixup
from .rate_jitter import RateJitter as RateJitter
from .rotation import Rotation as Rotation
from .sample_shift import SampleShift as SampleShift
from .sparse_image_warp import (
    dense_image_warp as dense_image_warp,
    sparse_image_warp as sparse_image_warp,
    spline_flow as spline_flow,
)
from .time_shift import TimeShift as TimeShift
from .time_warp import TimeWarp as TimeWarp
from .warp import Warp as Warp
