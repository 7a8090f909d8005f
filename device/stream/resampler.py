"""Resampling of a stream from the sensor's rate to the model's, in pieces of any size.

Band-limited interpolation as in :func:`deseptr.data.resample`, with a shorter kernel: half of its length is the delay
of a window. Every output sums the same samples in one fixed order, so that its bits do not depend on how the stream was
cut into pieces.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deseptr.data import interpolation_weights

ZERO_CROSSINGS = 8


class StreamResampler:
    """Resamples a stream from one rate to another.

    Output k of a segment is the signal at input sample k · step; before the segment's first sample, that sample's value
    is used.

    >>> resampler = StreamResampler(step=2.0, channels=1)
    >>> resampler.push(np.ones((100, 1), np.float32)).shape
    (42, 1)

    Args:
        step: input samples per output sample: the sensor's rate over the model's.
        channels: values per sample.
    """

    def __init__(self, step: float, channels: int = 6) -> None:
        self._kept = np.empty((0, channels), np.float32)
        self.begin(step)

    def begin(self, step: float | None = None) -> None:
        """Begin a segment, optionally with another step."""
        self._kept = self._kept[:0]
        self._first_kept = 0
        self._received = 0
        self._anchor = 0.0
        self._made = 0
        self._set_step(self.step if step is None else step)

    def change_step(self, step: float) -> None:
        """Change the step from the next output on; the signal's time stays continuous."""
        self._anchor = self._position(self._made)
        self._made = 0
        self._set_step(step)

    @property
    def delay(self) -> int:
        """Number of input samples after its own time that an output needs."""
        return self._reach

    @property
    def pending(self) -> int:
        """Number of outputs whose time has come, but not yet all samples that they need."""
        return max(0, math.ceil((self._received - self._position(self._made)) / self.step))

    @property
    def kept(self) -> int:
        """How many input samples are held for outputs to come."""
        return len(self._kept)

    def wanted(self, outputs: int) -> int:
        """Number of further input samples that complete ``outputs`` outputs."""
        last = self._position(self._made + outputs - 1)
        return max(0, math.floor(last) + self._reach + 1 - self._received)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples ``[n, channels]``; returns the completed outputs, float32 ``[m, channels]``."""
        self._kept = np.concatenate((self._kept, samples))
        self._received += len(samples)
        count = self._ready()
        positions = self._anchor + (self._made + np.arange(count, dtype=np.float64)) * self.step
        self._made += count
        output = self._interpolate(positions)
        self._drop()
        return output

    def _set_step(self, step: float) -> None:
        if not (math.isfinite(step) and step > 0):
            raise ValueError(f"step must be positive and finite. Received: {step}")
        self.step = step
        self._cutoff = min(1.0, 1 / step)
        self._half_width = ZERO_CROSSINGS / self._cutoff
        self._reach = math.ceil(self._half_width)

    def _position(self, output: int) -> float:
        return self._anchor + output * self.step

    def _ready(self) -> int:
        """Number of further outputs whose samples are complete."""
        count = max(0, math.ceil((self._received - self._reach - self._position(self._made)) / self.step) + 1)
        while count and math.floor(self._position(self._made + count - 1)) + self._reach >= self._received:
            count -= 1
        return count

    def _interpolate(self, positions: NDArray[np.float64]) -> NDArray[np.float32]:
        whole = np.floor(positions).astype(np.int64)
        taps = np.arange(-self._reach, self._reach + 1)
        weights = interpolation_weights((positions - whole)[:, None] - taps, self._cutoff, self._half_width)
        total = np.zeros((len(positions), self._kept.shape[1]))
        # One tap after the other: the order of terms in a library's sum may depend on the number of outputs.
        for tap, weight in zip(taps, weights.T, strict=True):
            rows = np.maximum(whole + tap - self._first_kept, 0)
            total += weight[:, None] * self._kept[rows]
        return total.astype(np.float32)

    def _drop(self) -> None:
        """Forget samples that no output needs any more."""
        needed = max(0, math.floor(self._position(self._made)) - self._reach)
        if needed > self._first_kept:
            self._kept = self._kept[needed - self._first_kept :].copy()
            self._first_kept = needed
