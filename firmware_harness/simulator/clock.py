"""Virtual time: hours of wear simulated in seconds, with the same result in every run."""

from __future__ import annotations

import time


class VirtualClock:
    """A clock that advances only when something waits on it.

    >>> clock = VirtualClock()
    >>> clock.sleep_ns(1_000_000_000)
    >>> clock.now_ns()
    1000000000
    """

    def __init__(self) -> None:
        self._now_ns = 0

    def now_ns(self) -> int:
        """Virtual time in nanoseconds, from 0."""
        return self._now_ns

    def sleep_ns(self, duration_ns: int) -> None:
        """Advance by ``duration_ns`` without waiting."""
        self._now_ns += max(0, duration_ns)


class PacedClock(VirtualClock):
    """A virtual clock that never runs ahead of the real one, so that a replay takes as long as its recording."""

    def __init__(self) -> None:
        super().__init__()
        self._begun_ns = time.monotonic_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Advance by ``duration_ns`` and wait until the real clock has advanced as far."""
        super().sleep_ns(duration_ns)
        ahead_ns = self.now_ns() - (time.monotonic_ns() - self._begun_ns)
        if ahead_ns > 0:
            time.sleep(ahead_ns / 1e9)
