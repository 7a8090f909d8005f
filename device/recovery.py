"""Recovery of a failed sensor: retry, FIFO reset, re-initialise, reopen the bus; in the end, an error.

Each call does a bounded amount of work, so that the caller can show progress while the sensor is away. The samples lost
meanwhile become one gap, reported by the first call that succeeds.
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
# Reason of a gap in which the chip answered but gave no samples.
SILENCE = "silence"
# Pauses between attempts to reopen the bus, doubled from the first to the longest.
FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 100_000_000, 500_000_000
SETUP_ATTEMPTS = 3
SETUP_PAUSE_NS = 100_000_000
# A chip hangs if it answers but gives no samples for this time, and for this many sample periods.
SILENCE_NS = 400_000_000
SILENT_SAMPLES = 10
# A step has helped if a sample comes within this many periods; some chips start late.
PROOF_SAMPLES = 4
PATIENCE_S = 20.0
# Empty drains before a sensor is given up: time may also pass because the host was delayed within a call.
LEAST_EMPTY_DRAINS = 3


class UnhealthyError(SensorError):
    """The sensor could not be recovered; its exit code differs from that of wrong input, for service managers."""

    exit_code = UNHEALTHY_EXIT_CODE


@dataclass(frozen=True, slots=True)
class RecoveryStep:
    """A recovery step that was taken.

    Args:
        rung: ``retry``, ``fifo-reset``, ``reinit`` or ``reopen``.
        cause: the failure, in one line.
        count: number of episodes so far that took this step, this one included.
    """

    rung: str
    cause: str
    count: int


def never_ended() -> bool:
    """For sensors whose data has no end."""
    return False


class RecoveringImu:
    """A sensor that is recovered when it fails.

    Args:
        imu: the sensor.
        clock: its clock.
        reopen: opens its bus again; None if the bus cannot be reopened.
        patience_s: time without a sample after which it is given up, seconds.
        ended: true once no more samples are expected, so that silence is no failure.
    """

    def __init__(
        self,
        imu: Imu,
        clock: Clock,
        *,
        reopen: Callable[[], None] | None = None,
        patience_s: float = PATIENCE_S,
        ended: Callable[[], bool] = never_ended,
    ) -> None:
        self._imu = imu
        self._clock = clock
        self._reopen = reopen
        self._patience_ns = patience_s * 1e9
        self._ended = ended
        self._config: ImuConfig | None = None
        self._channels = 0
        self._silence_ns = float(SILENCE_NS)
        self._proof_ns = 0
        self._steps: list[RecoveryStep] = []
        self._tried: set[str] = set()
        self._reason: str | None = None
        self._last_sample_ns = self._awaited_ns = self._retry_ns = 0
        self._pause_ns = FIRST_PAUSE_NS
        self._empty_drains = 0
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
        """Why samples are being lost now, as in :class:`deseptr.device.Gap`; None while none are."""
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
        """Take everything that the FIFO holds; if that fails, recover the sensor.

        A result without samples and without a gap means that the sensor is slow, or still away if :attr:`lost` is set.

        Raises:
            UnhealthyError: if there was no sample for longer than ``patience_s``.
        """
        samples = self._recover() if self._reason is not None else self._drain()
        now_ns = self._clock.now_ns()
        self._empty_drains += 1
        if len(samples.signals):
            self._last_sample_ns = self._awaited_ns = now_ns
            self._empty_drains = 0
            self._tried.clear()
            self._pause_ns = FIRST_PAUSE_NS
        elif (
            now_ns - self._last_sample_ns > self._patience_ns
            and self._empty_drains > LEAST_EMPTY_DRAINS
            and not self._ended()
        ):
            raise self._unhealthy(now_ns)
        return samples

    def stop(self) -> None:
        """Stop sampling and put the chip to sleep."""
        self._imu.stop()

    def take_steps(self) -> list[RecoveryStep]:
        """The steps taken since the last call, each once per episode."""
        steps, self._steps = self._steps, []
        return steps

    def _set_up(self, config: ImuConfig) -> ImuSettings:
        self._imu.identify()
        settings = self._imu.configure(config)
        self._channels = len(settings.channels)
        self._silence_ns = max(SILENCE_NS, SILENT_SAMPLES / settings.rate_hz * 1e9)
        self._proof_ns = round(PROOF_SAMPLES / settings.rate_hz * 1e9)
        return settings

    def _start(self) -> None:
        self._imu.start()
        self._last_sample_ns = self._awaited_ns = self._clock.now_ns()

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
        """Begin an episode of loss with the steps that have not been tried since the last sample."""
        self._reason, self._cause = reason, error
        self._retry_ns = 0
        self._rungs = tuple(rung for rung in rungs if rung not in self._tried) or (REOPEN,)
        return self._recover()

    def _recover(self) -> Samples:
        """Take the steps in turn; the last is repeated, with pauses between the calls."""
        nothing = Samples(np.empty((0, self._channels), np.float32), at_ns=self._clock.now_ns())
        if self._clock.now_ns() < self._retry_ns:
            return nothing
        while True:
            rung = self._rungs[0]
            self._rungs = self._rungs[1:] or (REOPEN,)
            self._note(rung, str(self._cause))
            try:
                return self._resume(self._carry_out(rung))
            except SensorError as error:
                self._cause = error
            if rung == REOPEN:
                self._retry_ns = self._clock.now_ns() + self._pause_ns
                self._pause_ns = min(2 * self._pause_ns, LONGEST_PAUSE_NS)
                return nothing

    def _carry_out(self, rung: str) -> int:
        """Carry out a step; returns the time from which samples come again."""
        if rung == REOPEN and self._reopen is not None:
            self._reopen()
        if rung != FIFO_RESET:
            assert self._config is not None
            self._imu.identify()
            self._imu.configure(self._config)
        self._imu.start()
        return self._clock.now_ns()

    def _resume(self, resumed_ns: int) -> Samples:
        # The FIFO of a chip that lost its settings can be reset without an error: only the first drain detects that.
        # So can that of a chip that hangs, which keeps its settings: only a sample proves the recovery.
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
        if rung in self._tried:
            return
        self._tried.add(rung)
        self.counts[rung] += 1
        self._steps.append(RecoveryStep(rung, cause, self.counts[rung]))

    def _out_of_patience(self, now_ns: int) -> bool:
        waited_ns = now_ns - self._last_sample_ns
        return waited_ns > self._patience_ns and self._empty_drains > LEAST_EMPTY_DRAINS and not self._ended()

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
            found=f"no sample for {(now_ns - self._last_sample_ns) / 1e9:.1f} s{cause}{tried and f' (tried {tried})'}",
            expected="samples",
            next_step="check wiring and power (`deseptr device doctor`), and start again",
        )
