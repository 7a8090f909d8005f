"""The views of one window after another, in buffers that are made once.

The same integers as :meth:`deseptr.contract.InputViews.encode` gives, several times faster: on a small board the
encoding must not cost what the smaller graph saves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.contract.view_encoding import step_sizes
from deseptr.contract.views import LARGEST, LEVELS, SMALLEST

# More buckets would not stay in a processor's cache.
_MOST_BUCKETS = 1 << 16


class WindowEncoder:
    """Encodes windows for a graph that takes views.

    All sums are of integers below 2^24, which float32 holds exactly. The level of a deviation is looked up: a table
    says how many thresholds lie below its bucket, and one comparison for each threshold within a bucket, most often a
    single one, does the rest.

    Args:
        contract: one with views.
        length: samples that are encoded at a time, after the history; by default the window's.
    """

    def __init__(self, contract: ModelContract, length: int | None = None) -> None:
        assert contract.views is not None
        length, channels, history = length or contract.window_length, len(contract.channels), contract.history
        # One for each sample: to spread one row over all of them, numpy fills a buffer.
        self._step = np.tile(step_sizes(contract.input_range), (history + length, 1))
        self._steps = np.zeros((history + length, channels), np.float32)
        self._flat = self._steps.reshape(-1)
        self._own = self._flat[history * channels :]
        self._doublings, self._sums = _doublings(self._flat, history + 1, channels)
        self._levels = _LevelTable(contract.views.thresholds, history, length * channels)
        self._deviation = np.zeros(length * channels, np.float32)
        self._scratch = np.zeros((length, channels), np.float32)
        self._views = np.zeros((length, 2 * channels), np.int8)
        self._coarse, self._fine = self._views[:, :channels], self._views[:, channels:]
        self._total = np.float32(history + 1)

    def encode(self, window: NDArray[np.float32]) -> NDArray[np.int8]:
        """Views int8 ``[length, 2·channels]`` of samples ``[history + length, channels]`` in SI units.

        The result is valid until the next call.
        """
        steps, deviation = self._flat, self._deviation
        np.divide(window, self._step, out=self._steps)
        np.rint(steps, out=steps)
        np.minimum(steps, _LARGEST, out=steps)
        np.maximum(steps, _SMALLEST, out=steps)
        for left, right, out in self._doublings:
            np.add(left, right, out=out)
        np.multiply(self._own, self._total, out=deviation)
        np.subtract(deviation, self._sums, out=deviation)
        np.copyto(self._fine, self._levels.of(deviation).reshape(self._fine.shape))
        coarse, flat = self._scratch, self._scratch.reshape(-1)
        np.add(self._own, _HALF, out=flat)
        np.multiply(flat, _PER_COARSE, out=flat)
        np.floor(flat, out=flat)
        np.minimum(flat, _TOP, out=flat)
        np.copyto(self._coarse, coarse, casting="unsafe")
        return self._views


class _LevelTable:
    """Signed levels of deviations: how many thresholds they reach, by buckets of equal width.

    Args:
        thresholds: of the positive levels.
        history: bounds the deviations at ``history`` times the range of 16 bits.
        count: deviations in a call.
    """

    def __init__(self, thresholds: tuple[int, ...], history: int, count: int) -> None:
        positive = np.array(thresholds, np.int64)
        # A deviation of -t has level -1 or below, so that the next level begins at 1 - t.
        limits = np.concatenate([1 - positive[::-1], positive])
        largest = history * (LARGEST - SMALLEST)
        narrowest = max(int(np.diff(limits).min()), 2 * largest // _MOST_BUCKETS)
        width = 1 << (narrowest.bit_length() - 1)
        starts = np.arange(-largest, largest + 1, width)
        below = np.searchsorted(limits, starts, "right")
        within = np.searchsorted(limits, starts + width - 1, "right") - below
        padded = np.append(limits.astype(np.float32), np.full(within.max(), np.inf, np.float32))
        self._below = (below - LEVELS).astype(np.int8)
        self._limits = [padded[below + index] for index in range(within.max())]
        self._shift, self._per_width = np.float32(largest), np.float32(1 / width)
        self._position = np.zeros(count, np.float32)
        self._bucket = np.zeros(count, np.intp)
        self._limit = np.zeros(count, np.float32)
        self._reached = np.zeros(count, np.bool_)
        # The same bytes, so that no addition has to convert them first.
        self._one_if_reached = self._reached.view(np.int8)
        self._level = np.zeros(count, np.int8)

    def of(self, deviation: NDArray[np.float32]) -> NDArray[np.int8]:
        """Levels int8 ``[count]`` of deviations ``[count]``; valid until the next call."""
        level, position = self._level, self._position
        np.add(deviation, self._shift, out=position)
        np.multiply(position, self._per_width, out=position)
        np.copyto(self._bucket, position, casting="unsafe")
        self._below.take(self._bucket, out=level, mode="clip")
        for limits in self._limits:
            limits.take(self._bucket, out=self._limit, mode="clip")
            np.greater_equal(deviation, self._limit, out=self._reached)
            np.add(level, self._one_if_reached, out=level)
        return level


_SMALLEST, _LARGEST = np.float32(SMALLEST), np.float32(LARGEST)
_HALF, _PER_COARSE, _TOP = np.float32(128), np.float32(1 / 256), np.float32(127)

_Addition = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def _doublings(flat: NDArray[np.float32], length: int, channels: int) -> tuple[list[_Addition], NDArray[np.float32]]:
    """Additions, each of two views into a third, that sum ``length`` successive samples; and where the sums end up.

    Two buffers take turns: numpy copies what overlaps its own output.
    """
    buffers = np.zeros(len(flat), np.float32), np.zeros(len(flat), np.float32)
    additions: list[_Addition] = []
    source, left, shift = flat, len(flat), channels
    while shift < length * channels:
        left -= shift
        sums = buffers[len(additions) % 2][:left]
        additions.append((source[:left], source[shift : shift + left], sums))
        source, shift = sums, 2 * shift
    return additions, source
