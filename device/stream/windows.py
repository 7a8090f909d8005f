"""Windows from a stream of samples: one every hop, none across a gap, for pieces of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ring import SampleRing


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the stream.

    Args:
        start: index of its first sample in the stream, lost samples counted; the history does not count.
        samples: read-only float32 view ``[history + window_length, channels]``, valid until the iterator goes on.
        history: number of ``samples`` that come before the window.
        segment: number of gaps before it; windows of a segment are cut from one run of samples.
    """

    start: int
    samples: NDArray[np.float32]
    history: int = 0
    segment: int = 0

    @property
    def end(self) -> int:
        """Index of its last sample."""
        return self.start + len(self.samples) - self.history - 1


class WindowAssembler:
    """Cuts a stream into windows: in each segment between gaps, window k starts at the segment's sample k·hop.

    A window comes with the samples of its segment before it; before the segment's first sample that one is repeated.

    Args:
        window_length: samples per window.
        hop_length: samples between the starts of successive windows.
        channels: values per sample.
        history: samples that come before each window.

    >>> assembler = WindowAssembler(window_length=4, hop_length=2, channels=1)
    >>> [window.start for window in assembler.push(np.zeros((8, 1), np.float32))]
    [0, 2, 4]
    """

    def __init__(self, window_length: int, hop_length: int, channels: int = 6, history: int = 0) -> None:
        self.window_length = window_length
        self.hop_length = hop_length
        self.history = history
        self._ring = SampleRing(history + window_length, channels)
        self._received = 0
        self._segment = 0
        self._next_end = window_length

    @property
    def received(self) -> int:
        """Index that the next sample will have."""
        return self._received

    @property
    def wanted(self) -> int:
        """Number of samples that the next window still lacks."""
        return self._next_end - self._received

    def push(self, samples: NDArray[np.float32]) -> Iterator[Window]:
        """Take samples ``[n, channels]`` and yield each window as its last sample comes in.

        The iterator must be run to its end: the samples after a window are taken only when it goes on.
        """
        taken = 0
        if not len(self._ring) and len(samples):
            self._ring.push(np.repeat(samples[:1], self.history, axis=0))
        while taken < len(samples):
            piece = samples[taken : taken + self._next_end - self._received]
            self._ring.push(piece)
            taken += len(piece)
            self._received += len(piece)
            if self._received == self._next_end:
                self._next_end += self.hop_length
                yield self._window()

    def _window(self) -> Window:
        samples = self._ring.latest(self.history + self.window_length)
        return Window(self._received - self.window_length, samples, self.history, self._segment)

    def gap(self, lost_samples: int) -> None:
        """Begin a new segment after a loss of ``lost_samples``."""
        self._ring.clear()
        self._segment += 1
        self._received += lost_samples
        self._next_end = self._received + self.window_length
