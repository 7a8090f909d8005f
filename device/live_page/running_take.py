"""A take that grows by what a run reads from its sensor; files and rules are those of ``device record``."""

from __future__ import annotations

import time
from pathlib import Path

from deseptr.device.drained import Drained
from deseptr.device.recorder import SessionStep, Take, TakeFile, Taking


class RunningTake:
    """A take whose file is made with its first samples.

    Args:
        folder: where the file goes; it exists.
        sensor: its name, for the file.
        label: the activity.
        subject: the wearer.
        seconds: its length; infinite until it is closed.
    """

    def __init__(self, folder: Path, sensor: str, label: str, subject: str, seconds: float) -> None:
        self.label = label
        self._folder, self._sensor, self._subject, self._seconds = folder, sensor, subject, seconds
        self._file: TakeFile | None = None
        self._taking: Taking | None = None
        self._newest_s = 0.0

    @property
    def done_s(self) -> float:
        """Seconds so far."""
        return 0.0 if self._taking is None else self._taking.done_s

    @property
    def complete(self) -> bool:
        """Whether it has its length."""
        return self._taking is not None and self._taking.complete

    def append(self, drained: Drained, missed: int) -> None:
        """Take the samples of a read.

        Args:
            drained: the read.
            missed: number of samples before it that were not handed over.

        Raises:
            SetupError: if the medium refuses them.
        """
        now_ns = time.monotonic_ns()
        if self._file is None or self._taking is None:
            self._file = TakeFile(self._folder, self._subject, self.label, self._sensor, now_ns, drained.channels)
            step = SessionStep("activity", self.label, self._seconds)
            self._taking = Taking(self._file, step, drained.rate_hz, drained.acc_count)
        elif drained.gap is not None or missed or drained.t < self._newest_s:
            # A replay's time begins anew with each of its recordings.
            self._taking.interrupt(drained.gap or "not joined", drained.lost_samples + missed, drained.rate_hz)
        self._newest_s = drained.t
        self._taking.append(drained.signals, now_ns)

    def close(self, rate_hz: float | None = None) -> Take | None:
        """End it; None if it has no samples.

        Args:
            rate_hz: the sensor's rate as it is known now; that of the take if None.
        """
        if self._file is None or self._taking is None:
            return None
        self._file.close()
        return self._taking.result(rate_hz or self._taking.rate_hz) if self._file.samples else None
