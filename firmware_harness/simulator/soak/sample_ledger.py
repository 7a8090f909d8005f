"""A ledger of all samples of a :class:`CountingSource`: those delivered against those that the runtime reports as lost.

The samples themselves contain their time, so nothing here relies on the driver, the recovery or the clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.device import RecoveringImu, Samples
from deseptr.firmware_harness.simulator.sources.counting import counted_times

TimesOf = Callable[[NDArray[np.float32]], NDArray[np.int64]]


@dataclass(slots=True)
class LedgerGap:
    """A gap, with its true and its reported size.

    Args:
        before_ns: time of the last sample before it.
        after_ns: time of the first sample after it; None while there is none.
        reported: number of lost samples, as reported.
        parts: number of reported gaps; without a sample in between they count as one.
    """

    before_ns: int
    after_ns: int | None = None
    reported: int = 0
    parts: int = 0

    def lost(self, period_ns: int) -> float:
        """Number of samples generated in between; not an integer if the chip restarted its sample clock."""
        return 0.0 if self.after_ns is None else (self.after_ns - self.before_ns) / period_ns - 1


# Samples are examined in batches: one by one would take most of a long run's time.
BATCH = 2000


class SampleLedger:
    """Records the samples that a sensor delivers and the reported losses, in order.

    Its attributes are valid only after :meth:`settle`.

    Attributes:
        delivered: number of samples so far.
        corrupted: number of these that the source never generated: of a wrong scale, misaligned, or with a wrong bit.
        jumps: number of places without a gap where samples are missing or doubled.
        gaps: the gaps.

    Args:
        period_ns: true sample period of the chip.
        times_of: the source's, times of samples.
    """

    def __init__(self, period_ns: int, times_of: TimesOf = counted_times) -> None:
        self.period_ns = period_ns
        self._times_of = times_of
        self.delivered = self.corrupted = self.jumps = 0
        self.gaps: list[LedgerGap] = []
        self.first_ns: int | None = None
        self._next_ns: int | None = None
        self._batch: list[NDArray[np.float32]] = []
        self._batched = 0

    def take(self, samples: Samples) -> None:
        """Record the samples of one drain."""
        if samples.gap is not None:
            self.settle()
            self._open_gap()
        if len(samples.signals):
            self._batch.append(samples.signals)
            self._batched += len(samples.signals)
            if self._batched >= BATCH:
                self.settle()

    def settle(self) -> None:
        """Examine all samples recorded so far."""
        if self._batch:
            self._take(self._times_of(np.concatenate(self._batch)))
        self._batch, self._batched = [], 0

    def report(self, lost_samples: int) -> None:
        """Record that ``lost_samples`` samples are reported as lost in the newest gap."""
        self.gaps[-1].reported += lost_samples
        self.gaps[-1].parts += 1

    @property
    def last_ns(self) -> int | None:
        """Time of the newest sample."""
        return None if self._next_ns is None else self._next_ns - self.period_ns

    @property
    def closed_gaps(self) -> list[LedgerGap]:
        """The gaps after which samples came again."""
        return [gap for gap in self.gaps if gap.after_ns is not None]

    def wrong_gaps(self) -> list[LedgerGap]:
        """Gaps whose reported size is wrong by more than one sample per part.

        If the chip restarted its sample clock, the true size lies between two integers, and both are right.
        """
        return [gap for gap in self.closed_gaps if self.error(gap) > max(1, gap.parts)]

    def error(self, gap: LedgerGap) -> int:
        """Error of a gap's reported size, in samples."""
        lost = round(gap.lost(self.period_ns), 3)
        return max(0, math.floor(lost) - gap.reported, gap.reported - math.ceil(lost))

    def first_after(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Time of the first delivered sample at or after each of ``times_ns``; infinite if there is none."""
        last_ns = self.last_ns
        assert self.first_ns is not None
        assert last_ns is not None
        begins = np.array([self.first_ns, *(gap.after_ns for gap in self.closed_gaps)], np.int64)
        ends = np.array([*(gap.before_ns for gap in self.closed_gaps), last_ns], np.int64)
        segment = np.searchsorted(ends, times_ns, side="left")
        inside = segment < len(ends)
        begin = begins[np.minimum(segment, len(ends) - 1)]
        steps = np.maximum(-(-(times_ns - begin) // self.period_ns), 0)
        return np.where(inside, begin + steps * self.period_ns, np.inf)

    def _open_gap(self) -> None:
        if self.last_ns is None or (self.gaps and self.gaps[-1].after_ns is None):
            # No sample was delivered since the last gap, which goes on.
            self.gaps = self.gaps or [LedgerGap(0)]
            return
        self.gaps.append(LedgerGap(self.last_ns))

    def _take(self, times_ns: NDArray[np.int64]) -> None:
        self.delivered += len(times_ns)
        genuine = np.flatnonzero(times_ns >= 0)
        self.corrupted += len(times_ns) - len(genuine)
        if len(genuine):
            # Time of sample 0, calculated from each sample.
            begins = times_ns[genuine] - self.period_ns * genuine
            self._join(int(begins[0]))
            self.jumps += int(np.count_nonzero(np.diff(begins)))
            self._next_ns = int(begins[-1]) + self.period_ns * len(times_ns)
        elif self._next_ns is not None:
            self._next_ns += self.period_ns * len(times_ns)

    def _join(self, begin_ns: int) -> None:
        if self.first_ns is None:
            self.first_ns = begin_ns
        if self.gaps and self.gaps[-1].after_ns is None:
            self.gaps[-1].after_ns = begin_ns
        elif self._next_ns is not None and begin_ns != self._next_ns:
            self.jumps += 1


class LedgerImu(RecoveringImu):
    """A sensor with its recovery that records every sample in a ledger.

    Set :attr:`ledger` before the first drain.
    """

    ledger: SampleLedger

    def drain(self) -> Samples:
        """Drain and record the samples."""
        samples = super().drain()
        self.ledger.take(samples)
        return samples


class LedgerEngine:
    """An engine that looks for gaps inside windows, and always gives the first label.

    Attributes:
        windows: number of windows.
        torn: number of windows whose samples are not one period apart throughout.
        corrupted: number of windows with a sample that the source never generated.
        begin_ns: time of the newest window's first sample; -1 if that is unknown.

    Args:
        contract: the model's.
        period_ns: true sample period of the chip.
        times_of: the source's, times of samples.
    """

    name, threads, embedding = "ledger", 1, None

    def __init__(self, contract: ModelContract, period_ns: int, times_of: TimesOf = counted_times) -> None:
        self.contract = contract
        self._times_of = times_of
        self.windows = self.torn = self.corrupted = 0
        self.begin_ns = -1
        self._offsets = period_ns * np.arange(contract.window_length)
        self._logits = np.zeros(len(contract.labels), np.float32)
        self._logits[0] = 9.0

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Examine a window ``[window_length, channel]``; returns logits."""
        times_ns = self._times_of(window)
        genuine = times_ns >= 0
        begins = (times_ns - self._offsets)[genuine]
        self.windows += 1
        self.corrupted += not genuine.all()
        self.torn += bool((begins != begins[:1]).any())
        self.begin_ns = int(begins[0]) if len(begins) else -1
        return self._logits
