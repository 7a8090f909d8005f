"""Durations of the stages of a window, measured on the host that runs it.

Stages of one window, in order:

- ``read``: the drain of the sensor's FIFO that brought the window's last sample;
- ``resample``: bringing what was read to the model's rate; 0 where the sensor runs at it;
- ``window``: taking those samples into the ring until the window is whole;
- ``invoke``: quantising, the graph, dequantising;
- ``decide``: softmax and the choice of a label.

And two totals:

- ``end_to_end``: the software's path, from the start of that read to the label;
- ``sensor_to_label``: the wearer's wait, from the window's last sample to its label: the sample's time in the FIFO
  until the next poll, the software's path, and the caller's time with earlier labels of the same poll.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

PARTS = ("read", "resample", "window", "invoke", "decide")
STAGES = (*PARTS, "end_to_end", "sensor_to_label")


class StageFigures(TypedDict):
    """Figures of one stage, microseconds."""

    count: int
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float


class JitterFigures(TypedDict):
    """Figures of deviations from the planned time, microseconds; late is positive."""

    count: int
    p50_us: float
    p99_us: float
    max_us: float
    std_us: float


@dataclass(slots=True)
class WindowTimes:
    """Durations of one window, nanoseconds. A runtime makes one and reuses it for every window.

    Args:
        read_ns: of the stage ``read``, and so on for the others.
        deadline_missed: whether the label came later than the next window was due.
    """

    read_ns: int = 0
    resample_ns: int = 0
    window_ns: int = 0
    invoke_ns: int = 0
    decide_ns: int = 0
    end_to_end_ns: int = 0
    sensor_to_label_ns: int = 0
    deadline_missed: bool = False


class Profiler:
    """Durations of the stages of each window, in a fixed amount of memory.

    Counts and maxima are of all windows, percentiles of the latest ``capacity``.

    >>> profiler = Profiler()
    >>> profiler.record(WindowTimes(invoke_ns=250_000, end_to_end_ns=300_000))
    >>> profiler.stages()["invoke"]["p50_us"]
    250.0

    Args:
        capacity: windows kept, and wake-ups kept.
    """

    def __init__(self, capacity: int = 8192) -> None:
        self._durations_ns = np.zeros((capacity, len(STAGES)), np.int64)
        self._largest_ns = np.zeros(len(STAGES), np.int64)
        self._late_ns = np.zeros(capacity, np.int64)
        self._most_late_ns = 0
        self.count = 0
        self.wakeups = 0
        self.deadlines_missed = 0

    def record(self, times: WindowTimes) -> None:
        """Record the durations of one window; ``times`` may be reused afterwards."""
        row = self._durations_ns[self.count % len(self._durations_ns)]
        row[0] = times.read_ns
        row[1] = times.resample_ns
        row[2] = times.window_ns
        row[3] = times.invoke_ns
        row[4] = times.decide_ns
        row[5] = times.end_to_end_ns
        row[6] = times.sensor_to_label_ns
        np.maximum(self._largest_ns, row, out=self._largest_ns)
        self.deadlines_missed += times.deadline_missed
        self.count += 1

    def woke(self, late_ns: int) -> None:
        """Record by how much the loop woke up late for a poll, nanoseconds."""
        self._late_ns[self.wakeups % len(self._late_ns)] = late_ns
        self._most_late_ns = max(self._most_late_ns, late_ns)
        self.wakeups += 1

    def durations_us(self, stage: str) -> NDArray[np.float64]:
        """Durations of the windows kept, microseconds, the oldest first."""
        return _in_order(self._durations_ns[:, STAGES.index(stage)], self.count) / 1000.0

    def stages(self) -> dict[str, StageFigures]:
        """Figures of every stage; zeros before the first window."""
        return {stage: self._figures(number, stage) for number, stage in enumerate(STAGES)}

    def wakeup_jitter(self) -> JitterFigures:
        """Delay of the loop's wake-ups for a poll."""
        late = _in_order(self._late_ns, self.wakeups) / 1000.0
        return _jitter(late, self.wakeups, self._most_late_ns / 1000.0)

    def label_jitter(self) -> JitterFigures:
        """Difference between the interval of two labels and the interval of their windows.

        Windows are a hop apart, so this is the change of ``sensor_to_label`` from one to the next. Percentiles and
        maximum are of its absolute value, the standard deviation of the signed one.
        """
        changes = np.diff(self.durations_us("sensor_to_label"))
        sizes = np.abs(changes)
        figures = _jitter(sizes, len(changes), float(sizes.max(initial=0.0)))
        return {**figures, "std_us": round(float(changes.std()), 3) if len(changes) else 0.0}

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


def _in_order(ring: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Contents of a ring after ``count`` entries, the oldest first."""
    if count <= len(ring):
        return ring[:count]
    return np.roll(ring, -(count % len(ring)))


def _jitter(values_us: NDArray[np.float64], count: int, largest_us: float) -> JitterFigures:
    p50, p99 = np.percentile(values_us, (50, 99)).tolist() if len(values_us) else (0.0, 0.0)
    return {
        "count": count,
        "p50_us": round(p50, 3),
        "p99_us": round(p99, 3),
        "max_us": largest_us,
        "std_us": round(float(values_us.std()), 3) if len(values_us) else 0.0,
    }
