"""Where the time of a window goes, measured on the host that runs it.

Stages of one window, in order:

- ``read``: the drain of the sensor's FIFO that brought the window's last sample;
- ``window``: taking those samples into the ring until the window is whole;
- ``invoke``: quantising, the graph, dequantising;
- ``decide``: softmax and the choice of a label;
- ``end_to_end``: from the start of that read to the label, the software's share of sensor-to-label. The time that
  the sample waited in the FIFO before the read is not in it: that is set by the polling period.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

STAGES = ("read", "window", "invoke", "decide", "end_to_end")


class StageFigures(TypedDict):
    """Figures of one stage, microseconds."""

    count: int
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float


class Profiler:
    """Durations of the stages of each window, in a fixed amount of memory.

    Counts and maxima are of all windows, percentiles of the latest ``capacity``.

    Args:
        capacity: windows kept.
    """

    def __init__(self, capacity: int = 8192) -> None:
        self._durations_ns = np.zeros((capacity, len(STAGES)), np.int64)
        self._largest_ns = np.zeros(len(STAGES), np.int64)
        self.count = 0

    def record(self, read_ns: int, window_ns: int, invoke_ns: int, decide_ns: int, end_to_end_ns: int) -> None:
        """Take the durations of one window, nanoseconds."""
        row = self._durations_ns[self.count % len(self._durations_ns)]
        row[:] = (read_ns, window_ns, invoke_ns, decide_ns, end_to_end_ns)
        np.maximum(self._largest_ns, row, out=self._largest_ns)
        self.count += 1

    def durations_us(self, stage: str) -> NDArray[np.float64]:
        """Durations of the windows kept, microseconds, in no particular order."""
        kept = self._durations_ns[: self.count, STAGES.index(stage)]
        return kept / 1000.0

    def stages(self) -> dict[str, StageFigures]:
        """Figures of every stage; zeros before the first window."""
        return {stage: self._figures(number, stage) for number, stage in enumerate(STAGES)}

    def _figures(self, number: int, stage: str) -> StageFigures:
        durations = self.durations_us(stage)
        p50, p95, p99 = np.percentile(durations, (50, 95, 99)).tolist() if self.count else (0.0, 0.0, 0.0)
        return {
            "count": self.count,
            "p50_us": round(p50, 3),
            "p95_us": round(p95, 3),
            "p99_us": round(p99, 3),
            "max_us": float(self._largest_ns[number]) / 1000.0,
        }
