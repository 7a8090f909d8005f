"""Resources of a run: processor seconds per hour of wear, and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract.host_files import text_of


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of this process, bytes.

    Args:
        resident: held now.
        peak: the most that was ever held.
    """

    resident: int
    peak: int


def process_memory(root: Path = Path("/")) -> Memory:
    """Memory of this process, as Linux accounts it; elsewhere the peak stands for both.

    ``ru_maxrss`` is only the fallback: in Linux a process inherits the peak of the one that started it, so that a small
    program started by a large one seems as large.
    """
    status = dict(line.split(":", 1) for line in text_of(root / "proc/self/status").splitlines() if ":" in line)
    resident, peak = (_kilobytes(status.get(name, "")) for name in ("VmRSS", "VmHWM"))
    if resident and peak:
        return Memory(resident, peak)
    unit = 1 if sys.platform == "darwin" else 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Memory(largest, largest)


def _kilobytes(text: str) -> int:
    number = text.strip().removesuffix(" kB")
    return int(number) * 1024 if number.isascii() and number.isdigit() else 0


class WearMeter:
    """Processor time against time of wear, from the first label of each session to its last.

    The time before the first label is left out: the sensor is set up once, not every hour.

    Args:
        cpu_s: gives the processor time of this process so far, all threads, seconds.
    """

    def __init__(self, cpu_s: Callable[[], float] = time.process_time) -> None:
        self._now = cpu_s
        self._last: tuple[float, float] | None = None
        self.cpu_s = 0.0
        self.wearer_s = 0.0

    def session(self) -> None:
        """Begin a new session, whose time starts again."""
        self._last = None

    def label(self, t: float) -> None:
        """Record a label, for a window that ended at ``t`` seconds of the session."""
        now = self._now()
        if self._last is not None:
            then, cpu = self._last
            self.wearer_s += t - then
            self.cpu_s += now - cpu
        self._last = (t, now)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; ``per_hour_s`` is None if no time of wear passed."""
        return {
            "cpu_s": round(self.cpu_s, 6),
            "wearer_s": round(self.wearer_s, 3),
            "per_hour_s": round(self.cpu_s / self.wearer_s * 3600, 3) if self.wearer_s > 0 else None,
        }
