"""A sensor that gets up again: bounded retry, FIFO reset, re-initialisation, a new bus, and at last giving up aloud.

Each call does a bounded amount of work, so that whoever polls can tell people what goes on while the sensor is away.
What is lost meanwhile becomes one gap, told with the first call that succeeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from deseptr.contract import SensorError

from .bus import UNHEALTHY_EXIT_CODE
from .clock import Clock
from .drivers.fifo_imu import SettingsLostError
from .drivers.imu import Gap, Imu, ImuConfig, ImuSettings, Samples

RETRY, FIFO_RESET, REINIT, REOPEN = RUNGS = ("retry", "fifo-reset", "reinit", "reopen")
RETRY_PAUSES_NS = (2_000_000, 8_000_000)
# Why samples are lost where the chip answers and gives none.
SILENCE = "silence"
# A bus that has to be opened anew is tried ever more rarely.
FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 100_000_000, 500_000_000
SETUP_ATTEMPTS = 3
SETUP_PAUSE_NS = 100_000_000
# A chip that answers but gives nothing for so long, and for so many samples, hangs.
SILENCE_NS = 400_000_000
SILENT_SAMPLES = 10
# A rung is proved by a sample within so many periods; one may just have been missed, and some chips begin late.
PROOF_SAMPLES = 4
PATIENCE_S = 20.0
# A host may be held up in the middle of a call as well: a sensor is given up only if it was asked in vain some times.
LEAST_ASKED = 3


class UnhealthyError(SensorError):
    """The sensor could not be brought back; its exit code lets a service manager tell it from wrong input."""

    exit_code = UNHEALTHY_EXIT_CODE


@dataclass(frozen=True, slots=True)
class Step:
    """A rung that was climbed to.

    Args:
        rung: ``retry``, ``fifo-reset``, ``reinit`` or ``reopen``.
        cause: the failure, in one line.
        count: how many episodes have come to this rung so far, this one counted.
    """

    rung: str
    cause: str
    count: int


def _never() -> bool:
    return False


class RecoveringImu:
    """A sensor behind a recovery ladder.

    Args:
        imu: the sensor.
        clock: the clock that it lives by.
        reopen: opens its bus anew; None where a bus cannot be.
        patience_s: how long no sample may come before it is given up.
        ended: whether no more samples are to be expected, so that silence is no failure.
    """

    def __init__(
        self,
        imu: Imu,
        clock: Clock,
        *,
        reopen: Callable[[], None] | None = None,
        patience_s: float = PATIENCE_S,
        ended: Callable[[], bool] = _never,
    ) -> None:
        self._imu = imu
        self._clock = clock
        self._reopen = reopen
        self._patience_ns = patience_s * 1e9
        self._ended = ended
        self._config: ImuConfig | None = None
        self._silence_ns = float(SILENCE_NS)
        self._proof_ns = 0
        self._steps: list[Step] = []
        self._climbed: set[str] = set()
        self._reason: str | None = None
        self._heard_ns = self._awaited_ns = self._retry_ns = 0
        self._pause_ns = FIRST_PAUSE_NS
        self._unanswered = 0
        self.counts: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Chip name, for messages."""
        return self._imu.name

    @property
    def capacity(self) -> int:
        """Samples that the FIFO takes before any are lost."""
        return self._imu.capacity

    @property
    def lost(self) -> str | None:
        """Why samples are being lost just now, as in :class:`deseptr.device.Gap`; None while all is well."""
        return self._reason

    def set_up(self, config: ImuConfig) -> ImuSettings:
        """Identify and configure the sensor.

        Raises:
            SensorError: if it does not answer, is another chip, or cannot be set up, after a few attempts.
        """
        self._config = config
        for _ in range(SETUP_ATTEMPTS - 1):
            try:
                return self._set_up(config)
            except SensorError:
                self._clock.sleep_ns(SETUP_PAUSE_NS)
        return self._set_up(config)

    def start(self) -> None:
        """Empty the FIFO and let samples in; a few attempts.

        Raises:
            SensorError: if that fails.
        """
        for _ in range(SETUP_ATTEMPTS - 1):
            try:
                return self._start()
            except SensorError:
                self._clock.sleep_ns(SETUP_PAUSE_NS)
        return self._start()

    def drain(self) -> Samples:
        """Take everything that the FIFO holds, and if that fails, climb.

        Without samples and without a gap the sensor is either slow or still away: :attr:`lost` tells.

        Raises:
            UnhealthyError: if there was no sample for longer than the patience.
        """
        samples = self._heal() if self._reason is not None else self._drain()
        now_ns = self._clock.now_ns()
        self._unanswered += 1
        if len(samples.signals):
            self._heard_ns = self._awaited_ns = now_ns
            self._unanswered = 0
            self._climbed.clear()
            self._pause_ns = FIRST_PAUSE_NS
        elif now_ns - self._heard_ns > self._patience_ns and self._unanswered > LEAST_ASKED and not self._ended():
            raise self._unhealthy(now_ns)
        return samples

    def stop(self) -> None:
        """Stop sampling and put the chip to sleep."""
        self._imu.stop()

    def take_steps(self) -> list[Step]:
        """The rungs climbed to since the last call, one for each episode and rung."""
        steps, self._steps = self._steps, []
        return steps

    def _set_up(self, config: ImuConfig) -> ImuSettings:
        self._imu.identify()
        settings = self._imu.configure(config)
        self._silence_ns = max(SILENCE_NS, SILENT_SAMPLES / settings.rate_hz * 1e9)
        self._proof_ns = round(PROOF_SAMPLES / settings.rate_hz * 1e9)
        return settings

    def _start(self) -> None:
        self._imu.start()
        self._heard_ns = self._awaited_ns = self._clock.now_ns()

    def _drain(self) -> Samples:
        try:
            samples = self._imu.drain()
        except SettingsLostError as error:
            return self._fail(error, "reset", (REINIT, REOPEN))
        except SensorError as error:
            return self._retry(error)
        if samples.gap is not None:
            self._note(FIFO_RESET, samples.gap.reason)
        elif not len(samples.signals) and self._silent():
            return self._fail(self._silence(), SILENCE, RUNGS[1:])
        return samples

    def _retry(self, error: SensorError) -> Samples:
        for pause_ns in RETRY_PAUSES_NS:
            self._note(RETRY, str(error))
            self._clock.sleep_ns(pause_ns)
            try:
                return self._imu.drain()
            except SettingsLostError as lost:
                return self._fail(lost, "reset", (REINIT, REOPEN))
            except SensorError as again:
                error = again
        return self._fail(error, "bus", RUNGS[1:])

    def _fail(self, error: SensorError, reason: str, rungs: tuple[str, ...]) -> Samples:
        """Samples are being lost from now on: climb what has not been climbed since samples last came."""
        self._reason, self._cause = reason, error
        self._retry_ns = 0
        self._rungs = tuple(rung for rung in rungs if rung not in self._climbed) or (REOPEN,)
        return self._heal()

    def _heal(self) -> Samples:
        """Climb rung by rung; the last is tried again and again, with pauses between the calls."""
        nothing = Samples(np.empty((0, 6), np.float32), at_ns=self._clock.now_ns())
        if self._clock.now_ns() < self._retry_ns:
            return nothing
        while True:
            rung = self._rungs[0]
            self._rungs = self._rungs[1:] or (REOPEN,)
            self._note(rung, str(self._cause))
            try:
                return self._back(self._climb(rung))
            except SensorError as error:
                self._cause = error
            if rung == REOPEN:
                self._retry_ns = self._clock.now_ns() + self._pause_ns
                self._pause_ns = min(2 * self._pause_ns, LONGEST_PAUSE_NS)
                return nothing

    def _climb(self, rung: str) -> int:
        """Do what a rung says; returns when sampling went on."""
        if rung == REOPEN and self._reopen is not None:
            self._reopen()
        if rung != FIFO_RESET:
            assert self._config is not None
            self._imu.identify()
            self._imu.configure(self._config)
        self._imu.start()
        return self._clock.now_ns()

    def _back(self, resumed_ns: int) -> Samples:
        # A chip that lost its settings lets its FIFO be reset as if nothing had happened: the first drain tells.
        # One that hangs does so too, and holds its settings: only samples tell.
        silent = self._reason == SILENCE
        if silent:
            self._clock.sleep_ns(self._proof_ns)
        samples = self._imu.drain()
        if silent and not len(samples.signals) and not self._ended():
            raise self._silence()
        reason, self._reason = self._reason, None
        self._awaited_ns = self._clock.now_ns()
        gap = samples.gap or Gap(str(reason), resumed_ns)
        return replace(samples, gap=Gap(str(reason), gap.resumed_ns))

    def _note(self, rung: str, cause: str) -> None:
        if rung in self._climbed:
            return
        self._climbed.add(rung)
        self.counts[rung] += 1
        self._steps.append(Step(rung, cause, self.counts[rung]))

    def _silent(self) -> bool:
        return self._clock.now_ns() - self._awaited_ns > self._silence_ns and not self._ended()

    def _silence(self) -> SensorError:
        silent_s = (self._clock.now_ns() - self._awaited_ns) / 1e9
        return SensorError(
            self.name,
            found=f"no sample for {silent_s:.1f} s",
            expected="samples",
            next_step="check its power supply",
        )

    def _unhealthy(self, now_ns: int) -> UnhealthyError:
        cause = f", {self._cause.thing}: {self._cause.found}" if self._reason is not None else ""
        tried = ", ".join(f"{self.counts[rung]} × {rung}" for rung in RUNGS if self.counts[rung])
        return UnhealthyError(
            self.name,
            found=f"no sample for {(now_ns - self._heard_ns) / 1e9:.1f} s{cause}{tried and f' (tried {tried})'}",
            expected="samples",
            next_step="check wiring and power (`deseptr device doctor`), and start again",
        )
