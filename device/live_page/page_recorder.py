"""Takes that somebody records from the page while a run goes on; files and rules are those of ``device record``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError
from deseptr.contract.limits import Limits
from deseptr.device.drained import Drained
from deseptr.device.recorder import Take, check_name, prepare_folder
from deseptr.device.sinks import Worker

from .failure_text import failure_text
from .running_take import RunningTake

SECONDS = Limits(0, 86_400)


class PageRecorder:
    """Writes what a run reads from its sensor into takes, on a thread of its own.

    Args:
        folder: where the files go; made if it does not exist.
        sensor: its name, for the files.
        changed: called on that thread with what the page is told, whenever it changes.

    Raises:
        SetupError: if the folder cannot be written.
    """

    def __init__(self, folder: Path, sensor: str, changed: Callable[[dict[str, Any]], None]) -> None:
        prepare_folder(folder, "--web-recordings")
        self.folder, self._sensor, self._changed = folder, sensor, changed
        self._worker = Worker("recorder of the page")
        self._missed = 0
        # Used by the worker's thread alone, but for reads of the finished takes.
        self._take: RunningTake | None = None
        self._trouble = ""
        self.takes: dict[str, Take] = {}

    def start(self, label: str, subject: str, seconds: float | None) -> None:
        """Begin a take with the next samples; one that is being recorded ends.

        Args:
            label: the activity.
            subject: the wearer.
            seconds: its length; None until it is stopped.

        Raises:
            DataError: if a name cannot be one.
            SetupError: if the length is none.
        """
        wanted = check_name("activity", label), check_name("wearer", subject)
        if seconds is not None and not (SECONDS.allow(seconds) and seconds > 0):
            raise SetupError("seconds", found=seconds, expected="up to a day", next_step="choose another length")
        self._worker.enqueue(partial(self._begin, *wanted, math.inf if seconds is None else float(seconds)))

    def stop(self) -> None:
        """End the take."""
        self._worker.enqueue(self._finish)

    def add(self, take: Take) -> None:
        """List a take that a guided session has written into the folder."""
        self._worker.enqueue(partial(self._list, take))

    def drained(self, drained: Drained) -> None:
        """Take what a read of the sensor brought, without waiting for the medium."""
        if not self._worker.offer(partial(self._write, drained, self._missed)):
            self._missed += len(drained.signals) + drained.lost_samples
        else:
            self._missed = 0

    def close(self) -> None:
        """End the take, once all that was read before is written."""
        self.stop()
        self._worker.close()

    def state(self) -> dict[str, Any]:
        """What the page shows."""
        running = self._take
        takes = [
            {"name": name, "label": take.label, "samples": take.samples, "seconds": round(take.seconds, 2)}
            for name, take in list(self.takes.items())
        ]
        state = {"kind": "recording", "takes": takes, "trouble": self._trouble}
        if running is None:
            return state | {"label": None, "seconds": 0.0}
        return state | {"label": running.label, "seconds": round(running.done_s, 1)}

    # On the worker's thread.

    def _begin(self, label: str, subject: str, seconds: float) -> None:
        self._finish()
        self._take, self._trouble = RunningTake(self.folder, self._sensor, label, subject, seconds), ""
        self._changed(self.state())

    def _write(self, drained: Drained, missed: int) -> None:
        if self._take is None:
            return
        try:
            self._append(self._take, drained, missed)
        except Exception as error:
            # Also one that nobody has foreseen: raised here, it would end the run.
            self._trouble = failure_text(error)
            self._finish()

    def _append(self, take: RunningTake, drained: Drained, missed: int) -> None:
        whole = math.floor(take.done_s)
        take.append(drained, missed)
        if take.complete:
            self._finish(drained.rate_hz)
        elif math.floor(take.done_s) != whole:
            self._changed(self.state())

    def _finish(self, rate_hz: float | None = None) -> None:
        running, self._take = self._take, None
        if running is None:
            return
        if (take := running.close(rate_hz)) is not None:
            self.takes[take.path.name] = take
        self._changed(self.state())

    def _list(self, take: Take) -> None:
        self.takes[take.path.name] = take
        self._changed(self.state())
