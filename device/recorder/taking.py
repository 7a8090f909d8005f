"""A take while it is being written: which time each sample has, and what is a recording of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .script import SessionStep
from .take_file import TakeFile

RATE_DRIFT = 0.005


@dataclass(frozen=True, slots=True)
class Interruption:
    """Samples were lost in an activity; those after the gap are another recording.

    Args:
        t: seconds since the take began.
        reason: as in :class:`deseptr.device.Gap`.
        lost_samples: their number, estimated from the clock.
    """

    t: float
    reason: str
    lost_samples: int


@dataclass(frozen=True, slots=True)
class Take:
    """An activity was recorded.

    Args:
        path: its file.
        label: the activity.
        samples: number of samples written, without lost ones.
        seconds: length, lost time included.
        gaps: number of gaps.
        rate_hz: rate of the file's first samples.
        measured_hz: the sensor's rate as measured at the end.
        acc_count: acceleration of one count of the sensor in m/s^2; 0 if it is not known.
    """

    path: Path
    label: str
    samples: int
    seconds: float
    gaps: int
    rate_hz: float
    measured_hz: float
    acc_count: float = 0.0

    @property
    def drifted(self) -> bool:
        """Whether the rate in the file turned out to be more than half a per cent off."""
        return abs(self.rate_hz / self.measured_hz - 1) > RATE_DRIFT


class Taking:
    """A take that is being written, with the time of its next sample.

    Args:
        file: where it goes.
        step: the activity.
        rate_hz: the sensor's rate as measured so far.
        acc_count: acceleration of one count of the sensor in m/s^2; 0 if it is not known.
    """

    def __init__(self, file: TakeFile, step: SessionStep, rate_hz: float, acc_count: float = 0.0) -> None:
        self._file = file
        self._step = step
        self._acc_count = acc_count
        self._first_rate_hz = self._rate_hz = rate_hz
        self._begun_s = 0.0  # of the current recording
        self._count = 0  # of its samples
        self._gaps = 0

    @property
    def rate_hz(self) -> float:
        """Rate at which the present recording's samples are spaced."""
        return self._rate_hz

    @property
    def done_s(self) -> float:
        """Time of the next sample."""
        return self._begun_s + self._count / self._rate_hz

    @property
    def complete(self) -> bool:
        """Whether the activity has all its samples."""
        return self._left() <= 0

    def interrupt(self, reason: str, lost: int, rate_hz: float) -> Interruption | None:
        """Begin another recording after a loss of ``lost`` samples; None if there was nothing before it."""
        if not self._file.samples:
            return None
        self._begun_s = self.done_s + lost / rate_hz
        self._rate_hz, self._count = rate_hz, 0
        self._gaps += 1
        self._file.begin_recording()
        return Interruption(self._begun_s, reason, lost)

    def append(self, signals: NDArray[np.float32], now_ns: int) -> None:
        """Write samples ``[n, channel]``, as far as the activity lacks them."""
        signals = signals[: int(min(len(signals), max(0, self._left())))]
        t_s = self._begun_s + (self._count + np.arange(len(signals))) / self._rate_hz
        self._file.append(t_s, signals, now_ns)
        self._count += len(signals)

    def result(self, measured_hz: float) -> Take:
        """What was recorded; ``measured_hz`` is the sensor's rate as it is known now."""
        file = self._file
        return Take(
            file.path,
            self._step.label,
            file.samples,
            self.done_s,
            self._gaps,
            self._first_rate_hz,
            measured_hz,
            self._acc_count,
        )

    def _left(self) -> float:
        """Samples that the activity still lacks."""
        left_s = self._step.seconds - self.done_s
        return math.inf if math.isinf(left_s) else round(left_s * self._rate_hz)
