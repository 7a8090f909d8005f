"""What a read of the sensor brought, for those who show or keep the samples of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Drained:
    """The samples of one read, and what was lost before them.

    Args:
        t: time of the first sample, seconds after the first sample of the run.
        signals: ``[n, channels]`` in the unit of each channel's sensor; n may be 0.
        channels: the sensor's channels, of which the model may take some only.
        rate_hz: the sensor's rate as measured so far.
        gap: why samples before these are missing; None if none are.
        lost_samples: their number, estimated from the clock.
        acc_count: acceleration of one count of the sensor in m/s^2; 0 if it is not known.
    """

    t: float
    signals: NDArray[np.float32]
    channels: tuple[str, ...]
    rate_hz: float
    gap: str | None = None
    lost_samples: int = 0
    acc_count: float = 0.0
