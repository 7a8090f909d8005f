"""Time: a monotonic clock that can also wait, passed to everything that needs one."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock. Its zero is arbitrary; only differences mean anything."""

    def now_ns(self) -> int:
        """Time since the clock's zero, in nanoseconds."""
        ...

    def sleep_ns(self, duration_ns: int) -> None:
        """Return once ``duration_ns`` have passed; at once if that is not positive."""
        ...


class SystemClock:
    """The machine's own monotonic clock."""

    def now_ns(self) -> int:
        """Time since the clock's zero, in nanoseconds."""
        return time.monotonic_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Sleep for ``duration_ns``."""
        if duration_ns > 0:
            time.sleep(duration_ns / 1e9)
