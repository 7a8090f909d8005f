"""Energy of an inference, from the board's power during continuous inference less its power at rest."""

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
# Time between two readings. Each reading of the power chip is a process, which draws the same in both phases.
INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Energy:
    """Power of a board at rest and under continuous inference, and the energy per inference.

    Args:
        idle_w: mean power at rest.
        busy_w: mean power under continuous inference.
        inferences_per_s: rate of inferences in that phase.
        mj_per_inference: the difference, in millijoules per inference.
        mj_error: standard error of that, from the scatter of the readings.
        readings: number of readings in each phase.
        source: name of the instrument.
        leaves_out: loads that the instrument does not measure.
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
        read: reads the power; gives None if the board cannot measure it.
        invoke: makes one inference.
        seconds: length of each phase.
        now: gives the time in seconds.
        sleep: waits for a number of seconds.

    Returns:
        The result; None if the board cannot measure its power.

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
    idle_w, idle_error = mean_and_standard_error([each.watts for each in idle])
    busy_w, busy_error = mean_and_standard_error([each.watts for each in at_work])
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
    """Infers in a thread of its own while this one reads the power; the runtimes release Python's lock meanwhile."""

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


def mean_and_standard_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error, which is infinite for a single reading."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, math.inf
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))
