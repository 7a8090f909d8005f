"""The last samples of a stream, in one block of memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SampleRing:
    """A preallocated ring of samples whose newest ones are always one contiguous view.

    Every sample is written twice, ``capacity`` rows apart, so that a run of up to ``capacity`` samples never wraps.

    Args:
        capacity: number of samples kept.
        channels: values per sample.

    >>> ring = SampleRing(capacity=3, channels=1)
    >>> ring.push(np.array([[1], [2], [3], [4]], np.float32))
    >>> ring.latest(2).tolist()
    [[3.0], [4.0]]
    """

    def __init__(self, capacity: int, channels: int = 6) -> None:
        self.capacity = capacity
        self._rows = np.zeros((2 * capacity, channels), np.float32)
        self._next = 0
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def push(self, samples: NDArray[np.float32]) -> None:
        """Append samples ``[n, channels]``; the oldest are overwritten."""
        samples = samples[-self.capacity :]
        first = min(len(samples), self.capacity - self._next)
        self._write(self._next, samples[:first])
        self._write(0, samples[first:])
        self._next = (self._next + len(samples)) % self.capacity
        self._held = min(self.capacity, self._held + len(samples))

    def latest(self, length: int) -> NDArray[np.float32]:
        """Read-only view ``[length, channels]`` of the newest samples, valid until the next :meth:`push`.

        Raises:
            ValueError: if fewer are held.
        """
        if length > self._held:
            raise ValueError(f"length must be at most the {self._held} samples held. Received: {length}")
        start = (self._next - length) % self.capacity
        view = self._rows[start : start + length]
        view.flags.writeable = False
        return view

    def clear(self) -> None:
        """Forget all samples."""
        self._held = 0

    def _write(self, row: int, samples: NDArray[np.float32]) -> None:
        self._rows[row : row + len(samples)] = samples
        mirror = row + self.capacity
        self._rows[mirror : mirror + len(samples)] = samples
