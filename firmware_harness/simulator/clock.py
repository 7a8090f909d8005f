"""Virtual time: a week of wear in seconds, the same each time."""

from __future__ import annotations

import time


class VirtualClock:
    """A clock that stands still until someone waits on it."""

    def __init__(self) -> None:
        self._now_ns = 0

    def now_ns(self) -> int:
        """Virtual time in nanoseconds; the first is 0."""
        return self._now_ns

    def sleep_ns(self, duration_ns: int) -> None:
        """Go ``duration_ns`` forward, at once."""
        self._now_ns += max(0, duration_ns)


class PacedClock(VirtualClock):
    """A virtual clock that never runs ahead of the real one, so that a replay takes as long as the recording did."""

    def __init__(self) -> None:
        super().__init__()
        self._begun_ns = time.monotonic_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Go ``duration_ns`` forward and wait until the real clock is there too."""
        super().sleep_ns(duration_ns)
        ahead_ns = self.now_ns() - (time.monotonic_ns() - self._begun_ns)
        if ahead_ns > 0:
            time.sleep(ahead_ns / 1e9)
