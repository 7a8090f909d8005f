"""What an inference draws: the board's power while it does nothing else but infer, less its power while it waits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import Event, Thread
from typing import Any

from deseptr.device.host.power import Power

ReadPower = Callable[[], Power | None]
PHASE_S = 3.0
# Between two readings; of the power chip each is a process of its own, which draws, too, in both phases alike.
INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Energy:
    """Power of a board at rest and at work, and what that makes of an inference.

    Args:
        idle_w: mean power at rest.
        busy_w: mean power while one inference follows the other.
        inferences_per_s: that the second was of.
        mj_per_inference: the difference, in millijoules an inference.
        mj_error: standard error of that, from the scatter of the readings.
        readings: of each phase.
        source: what measured it.
        leaves_out: what that does not see.
    """

    idle_w: float
    busy_w: float
    inferences_per_s: float
    mj_per_inference: float
    mj_error: float
    readings: int
    source: str
    leaves_out: str

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def measure_energy(
    read: ReadPower,
    invoke: Callable[[], object],
    *,
    seconds: float = PHASE_S,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Energy | None:
    """Measure the two phases, one after the other.

    Args:
        read: the power now; None where the board does not tell.
        invoke: one inference.
        seconds: length of each phase.
        now: clock in seconds.
        sleep: waits for so many seconds.

    Returns:
        None if the board does not tell its power.

    Raises:
        SensorError: if a meter on the bus fails.
    """
    if read() is None:
        return None
    idle = _readings(read, seconds, now, sleep)
    with _Busy(invoke) as busy:
        began = now()
        at_work = _readings(read, seconds, now, sleep)
        rate = busy.count / (now() - began)
    if not idle or not at_work or not rate:
        return None
    (idle_w, idle_error), (busy_w, busy_error) = (_mean([each.watts for each in part]) for part in (idle, at_work))
    return Energy(
        idle_w=idle_w,
        busy_w=busy_w,
        inferences_per_s=rate,
        mj_per_inference=(busy_w - idle_w) / rate * 1000,
        mj_error=math.hypot(idle_error, busy_error) / rate * 1000,
        readings=min(len(idle), len(at_work)),
        source=idle[0].source,
        leaves_out=idle[0].leaves_out,
    )


class _Busy:
    """Infers in a thread of its own while power is read in this one; the runtimes let go of Python's lock meanwhile."""

    def __init__(self, invoke: Callable[[], object]) -> None:
        self._invoke = invoke
        self._stop = Event()
        self._thread = Thread(target=self._loop, daemon=True)
        self.count = 0

    def __enter__(self) -> _Busy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._invoke()
            self.count += 1


def _readings(read: ReadPower, seconds: float, now: Callable[[], float], sleep: Callable[[float], None]) -> list[Power]:
    limit = now() + seconds
    found = []
    while now() < limit:
        sleep(INTERVAL_S)
        power = read()
        if power is not None:
            found.append(power)
    return found


def _mean(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error; of a single reading the latter is not known, and infinite."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, math.inf
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))
