"""Every sample accounted for: what a sensor gave of a :class:`CountingSource`, against what the runtime said it lost.

The samples themselves say when they were felt, so nothing here trusts the driver, the recovery ladder or the clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.device import RecoveringImu, Samples
from deseptr.firmware_harness.simulator.sources.counting import counted_times


@dataclass(slots=True)
class AccountedGap:
    """A gap as it was and as it was told.

    Args:
        before_ns: when the last sample before it was felt.
        after_ns: when the first sample after it was felt; None while there is none.
        told: samples lost, as told.
        parts: how many gaps were told; without a sample in between they are one.
    """

    before_ns: int
    after_ns: int | None = None
    told: int = 0
    parts: int = 0

    def lost(self, period_ns: int) -> float:
        """Samples that were felt in between; no whole number where the chip began its clock anew."""
        return 0.0 if self.after_ns is None else (self.after_ns - self.before_ns) / period_ns - 1


# Samples looked at together: one by one would take most of a long run's time.
BATCH = 2000


class SampleLedger:
    """Takes what a sensor delivers and what is told of gaps, in the order in which it happens.

    Ask it only after :meth:`settle`.

    Attributes:
        delivered: samples so far.
        strange: of these, those that were never felt so: doubled, torn, of a wrong scale, or with a wrong bit.
        jumps: places without a gap at which samples are missing or come again.
        gaps: the gaps.

    Args:
        period_ns: true sample period of the chip.
    """

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self.delivered = self.strange = self.jumps = 0
        self.gaps: list[AccountedGap] = []
        self.first_ns: int | None = None
        self._next_ns: int | None = None
        self._batch: list[NDArray[np.float32]] = []
        self._batched = 0

    def take(self, samples: Samples) -> None:
        """Take what one drain gave."""
        if samples.gap is not None:
            self.settle()
            self._open_gap()
        if len(samples.signals):
            self._batch.append(samples.signals)
            self._batched += len(samples.signals)
            if self._batched >= BATCH:
                self.settle()

    def settle(self) -> None:
        """Look at all samples taken so far."""
        if self._batch:
            self._take(counted_times(np.concatenate(self._batch)))
        self._batch, self._batched = [], 0

    def tell(self, lost_samples: int) -> None:
        """Take note that so many samples are said to be lost in the newest gap."""
        self.gaps[-1].told += lost_samples
        self.gaps[-1].parts += 1

    @property
    def last_ns(self) -> int | None:
        """When the newest sample was felt."""
        return None if self._next_ns is None else self._next_ns - self.period_ns

    @property
    def closed_gaps(self) -> list[AccountedGap]:
        """Those after which samples came again."""
        return [gap for gap in self.gaps if gap.after_ns is not None]

    def misjudged(self) -> list[AccountedGap]:
        """Gaps told wrong by more than one sample a part.

        Where the chip began its clock anew, how many were lost is known to the whole numbers on either side only.
        """
        return [gap for gap in self.closed_gaps if self.error(gap) > max(1, gap.parts)]

    def error(self, gap: AccountedGap) -> int:
        """By how many samples a gap was told wrong."""
        lost = round(gap.lost(self.period_ns), 3)
        return max(0, math.floor(lost) - gap.told, gap.told - math.ceil(lost))

    def first_after(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """When the first delivered sample was felt at or after each of ``times_ns``; infinite where there is none."""
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
            # Nothing was delivered since the last one: it goes on.
            self.gaps = self.gaps or [AccountedGap(0)]
            return
        self.gaps.append(AccountedGap(self.last_ns))

    def _take(self, times_ns: NDArray[np.int64]) -> None:
        self.delivered += len(times_ns)
        genuine = np.flatnonzero(times_ns >= 0)
        self.strange += len(times_ns) - len(genuine)
        if len(genuine):
            # When sample 0 of these was felt, by the word of each.
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


class AccountingImu(RecoveringImu):
    """A sensor behind its recovery ladder, whose every sample goes through a ledger.

    Set :attr:`ledger` before the first drain.
    """

    ledger: SampleLedger

    def drain(self) -> Samples:
        """As the ladder does it."""
        samples = super().drain()
        self.ledger.take(samples)
        return samples


class AccountingEngine:
    """An engine that looks for gaps inside windows, and always finds the first label likeliest.

    Attributes:
        windows: how many it saw.
        torn: of these, those whose samples are not one period apart throughout.
        strange: of these, those with a sample that was never felt so.
        begin_ns: when the first sample of the newest was felt; -1 if it does not say.

    Args:
        contract: the model's.
        period_ns: true sample period of the chip.
    """

    name, threads = "accounting", 1

    def __init__(self, contract: ModelContract, period_ns: int) -> None:
        self.contract = contract
        self.windows = self.torn = self.strange = 0
        self.begin_ns = -1
        self._offsets = period_ns * np.arange(contract.window_length)
        self._logits = np.zeros(len(contract.labels), np.float32)
        self._logits[0] = 9.0

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Look at a window ``[window_length, 6]``; logits."""
        times_ns = counted_times(window)
        genuine = times_ns >= 0
        begins = (times_ns - self._offsets)[genuine]
        self.windows += 1
        self.strange += not genuine.all()
        self.torn += bool((begins != begins[:1]).any())
        self.begin_ns = int(begins[0]) if len(begins) else -1
        return self._logits
