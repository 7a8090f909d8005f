"""The model's sample rate out of the sensor's, as the samples come, whatever pieces they come in.

Band-limited interpolation as in :func:`deseptr.data.resample`, with a shorter kernel: half of its length is how much
later a window is ready. Every output is summed in one fixed order from the same samples, so that it has the same bits
however the stream was cut.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deseptr.data import interpolation_weights

ZERO_CROSSINGS = 8


class StreamResampler:
    """Turns a stream at one rate into one at another.

    Output k of a segment is the signal at input sample k · step; before the segment's first sample its value continues.

    Args:
        step: input samples an output sample: the sensor's rate over the model's.
        channels: values a sample.
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
        """Go on with another step from the next output on; the signal's time stays continuous."""
        self._anchor = self._position(self._made)
        self._made = 0
        self._set_step(step)

    @property
    def delay(self) -> int:
        """How many input samples after its own time an output needs."""
        return self._reach

    @property
    def pending(self) -> int:
        """How many outputs there are times for, but not yet the samples that they need."""
        return max(0, math.ceil((self._received - self._position(self._made)) / self.step))

    def wanted(self, outputs: int) -> int:
        """How many more samples give so many outputs."""
        last = self._position(self._made + outputs - 1)
        return max(0, math.floor(last) + self._reach + 1 - self._received)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples ``[n, channels]``; returns the float32 ``[m, channels]`` that can now be told."""
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
            raise ValueError(f"a positive step is wanted. Received: {step}")
        self.step = step
        self._cutoff = min(1.0, 1 / step)
        self._half_width = ZERO_CROSSINGS / self._cutoff
        self._reach = math.ceil(self._half_width)

    def _position(self, output: int) -> float:
        return self._anchor + output * self.step

    def _ready(self) -> int:
        """How many further outputs have all the samples that they need."""
        count = max(0, math.ceil((self._received - self._reach - self._position(self._made)) / self.step) + 1)
        while count and math.floor(self._position(self._made + count - 1)) + self._reach >= self._received:
            count -= 1
        return count

    def _interpolate(self, positions: NDArray[np.float64]) -> NDArray[np.float32]:
        whole = np.floor(positions).astype(np.int64)
        taps = np.arange(-self._reach, self._reach + 1)
        weights = interpolation_weights((positions - whole)[:, None] - taps, self._cutoff, self._half_width)
        total = np.zeros((len(positions), self._kept.shape[1]))
        # One tap after the other: a sum by a library may order its terms by how many outputs there are.
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
