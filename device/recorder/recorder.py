"""The loop behind ``deseptr device record``: drain the sensor, write the samples of each activity into a take.

It takes the steps of a session and yields events; countdowns, bells and bars are the caller's. Time in the files is
that of the chip's own oscillator: its rate is measured from the session's beginning on, and each stretch of samples
without a gap is spaced evenly at the rate known when it began, so that nothing has to be interpolated.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import SENSORS, SensorError
from deseptr.device.drivers.imu import ImuConfig, ImuSettings, Samples
from deseptr.device.recovery import RecoveringImu, RecoveryStep
from deseptr.device.session import Session
from deseptr.device.stream.timing import SampleClock

from .script import SessionStep
from .take_file import TakeFile, prepare_folder
from .taking import Interruption, Take, Taking

POLL_NS = 50_000_000
# After this time the rate is known to about 0.1 %; a shorter first countdown is extended to it.
SETTLE_S = 3.0


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A step of the session begins; ``number`` counts from 1."""

    step: SessionStep
    number: int
    steps: int


@dataclass(frozen=True, slots=True)
class Progress:
    """``done_s`` seconds of a step have passed; in an activity, seconds of samples in the file ``path``."""

    step: SessionStep
    done_s: float
    path: Path | None = None


RecorderEvent = StepBegan | Progress | Interruption | RecoveryStep | Take


def record(
    session: Session,
    steps: Sequence[SessionStep],
    folder: Path,
    subject: str,
    config: ImuConfig,
) -> Generator[RecorderEvent, None, None]:
    """Run the steps of a session until they, the sensor's data or the caller end; then close the session.

    A take is complete on the disk when its :class:`Take` comes. If the generator is closed or an error ends it, the
    samples of the take so far are on the disk too.

    Args:
        session: the sensor.
        steps: the steps, as of :func:`session_steps` or :func:`read_protocol`.
        folder: folder for the files; made if it does not exist.
        subject: name of the wearer.
        config: rate and full scales.

    Raises:
        SensorError: if the sensor does not answer, is another chip, or lacks the magnetometer that is asked for.
        UnhealthyError: if it failed on the way and could not be recovered.
        SetupError: if the folder cannot be written, or the disk is full.
    """
    try:
        prepare_folder(folder)
        imu = RecoveringImu(session.imu, session.clock, reopen=session.reopen, ended=session.ended)
        settings = imu.set_up(config)
        _check_channels(session, config, settings)
        rate = SampleClock(settings.rate_hz)
        yield from _Recorder(session, imu, folder, subject, rate, settings).run(settled(steps))
    finally:
        session.close()


def _check_channels(session: Session, config: ImuConfig, settings: ImuSettings) -> None:
    missing = SENSORS["mag"].channels if config.mag_full_scale_ut is not None else ()
    if not set(missing) <= set(settings.channels):
        raise SensorError(
            _sensor_name(session),
            found=f"channels {' '.join(settings.channels)}",
            expected=" ".join((*settings.channels, *missing)),
            next_step="use a chip with a magnetometer, an MPU-9250 or ICM-20948, or record without one",
        )


@dataclass
class _Recorder:
    session: Session
    imu: RecoveringImu
    folder: Path
    subject: str
    rate: SampleClock
    settings: ImuSettings

    def run(self, steps: Sequence[SessionStep]) -> Generator[RecorderEvent, None, None]:
        self.imu.start()
        self.rate.begin(self.session.clock.now_ns())
        try:
            for number, step in enumerate(steps, 1):
                if self.session.ended():
                    return
                yield StepBegan(step, number, len(steps))
                yield from self._record(step) if step.kind == "activity" else self._wait(step)
        finally:
            with suppress(SensorError):
                self.imu.stop()

    def _wait(self, step: SessionStep) -> Generator[RecorderEvent, None, None]:
        began_ns = self.session.clock.now_ns()
        done_s = 0.0
        while done_s < step.seconds and not self.session.ended():
            self._drain()
            yield from self.imu.take_steps()
            done_s = (self.session.clock.now_ns() - began_ns) / 1e9
            yield Progress(step, min(done_s, step.seconds))

    def _record(self, step: SessionStep) -> Generator[RecorderEvent, None, None]:
        now_ns = self.session.clock.now_ns()
        file = TakeFile(
            self.folder, self.subject, step.label, _sensor_name(self.session), now_ns, self.settings.channels
        )
        take = Taking(file, step, self.rate.rate_hz, self.settings.acc_count)
        try:
            while not take.complete and not self.session.ended():
                samples, lost = self._drain()
                yield from self.imu.take_steps()
                if samples.gap is not None and (gap := take.interrupt(samples.gap.reason, lost, self.rate.rate_hz)):
                    yield gap
                take.append(samples.signals, self.session.clock.now_ns())
                yield Progress(step, take.done_s, file.path)
        finally:
            file.close()
        if file.samples:
            yield take.result(self.rate.rate_hz)

    def _drain(self) -> tuple[Samples, int]:
        """Wait for a poll period, then drain; returns the samples and the number lost in a gap."""
        clock, imu = self.session.clock, self.imu
        clock.sleep_ns(min(POLL_NS, round(imu.capacity / 3 / self.rate.nominal_hz * 1e9)))
        samples = imu.drain()
        lost = 0
        if samples.gap is not None:
            lost = self.rate.lost_until(samples.gap.resumed_ns)
            self.rate.begin(samples.gap.resumed_ns)
        # A drain without samples gives no measurement of the rate.
        if len(samples.signals):
            self.rate.drained(samples.at_ns, len(samples.signals))
        return samples, lost


def settled(steps: Sequence[SessionStep]) -> tuple[SessionStep, ...]:
    """The steps with a first countdown that is long enough to measure the rate.

    >>> [step.seconds for step in settled((SessionStep("activity", "walking", 60),))]
    [3.0, 60]
    """
    first = steps[0]
    if first.kind != "prepare":
        return (SessionStep("prepare", first.label, SETTLE_S, first.instruction), *steps)
    return (SessionStep("prepare", first.label, max(first.seconds, SETTLE_S), first.instruction), *steps[1:])


def _sensor_name(session: Session) -> str:
    name = str(session.sensor["name"])
    return f"{name} (simulated)" if session.sensor.get("simulated") else name
