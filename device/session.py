"""A sensor, real or simulated, and the run of a model on it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from deseptr.contract import DeseptrError, SetupError
from deseptr.tflite.engine import Engine

from .alarms.watch import EventWatch
from .bus_access import open_bus
from .clock import Clock
from .drained import Drained
from .drivers.imu import Imu
from .drivers.sensors import AUTO, make_sensor
from .events import Event
from .label.tracker import LabelTracker
from .label.unknown import UnknownJudge
from .latency import Profiler
from .mounting.watch import MountingWatch
from .personal.switch import WearerSwitch
from .recovery import PATIENCE_S, RecoveringImu
from .runtime import Runtime
from .stream.stream import RATE_TOLERANCE


@dataclass(frozen=True)
class Session:
    """A sensor from power-up to the end of its data.

    Args:
        imu: its driver.
        clock: its clock.
        ended: whether its data has ended.
        sensor: its description for reports: ``name``, ``bus`` and ``simulated`` at least.
        close: releases the bus.
        reopen: opens the bus again; None if it cannot be reopened.
    """

    imu: Imu
    clock: Clock
    ended: Callable[[], bool]
    sensor: dict[str, Any]
    close: Callable[[], None] = lambda: None
    reopen: Callable[[], None] | None = None


def live_session(bus: int = 1, sensor: str = AUTO, address: int | None = None) -> Session:
    """A session of the sensor on an I2C bus; its data does not end.

    Args:
        bus: the bus's number.
        sensor: its driver, or ``auto``.
        address: its 7-bit address; by default its usual one.

    Raises:
        SensorError: if the bus cannot be opened, or ``auto`` finds nothing.
        SetupError: if there is no such driver, or smbus2 is missing.

    >>> from deseptr.device import override_bus
    >>> from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualClock, VirtualI2cBus
    >>> clock = VirtualClock()
    >>> bus = VirtualI2cBus({0x68: SimulatedMpu6050(ConstantSource([0, 0, 9.8, 0, 0, 0]), clock)}, clock)
    >>> with override_bus(bus, clock):
    ...     live_session(bus=1).sensor["name"]
    'mpu6050'
    """
    opened = open_bus(bus)
    try:
        imu = make_sensor(sensor, opened.bus, opened.clock, address)
    except DeseptrError:
        opened.bus.close()
        raise
    description = {"name": imu.name, "address": imu.address, "bus": opened.bus.path, "simulated": opened.simulated}
    return Session(imu, opened.clock, lambda: False, description, opened.bus.close, opened.reopen)


def run_live(
    engine: Engine,
    session: Session,
    *,
    seconds: float | None = None,
    profiler: Profiler | None = None,
    tracker: LabelTracker | None = None,
    heartbeat: Callable[[], None] = lambda: None,
    patience_s: float = PATIENCE_S,
    rate_tolerance: float = RATE_TOLERANCE,
    watch: EventWatch | None = None,
    unknown: UnknownJudge | None = None,
    mounting: MountingWatch | None = None,
    wearers: WearerSwitch | None = None,
    drift: bool = True,
    on_samples: Callable[[Drained], None] = lambda drained: None,
) -> Generator[Event, None, None]:
    """Run a model on a session until it ends, or for ``seconds`` of its clock; then close the session.

    Args:
        engine: the model.
        session: the sensor.
        seconds: duration on the session's clock; None for as long as it lasts.
        profiler: records the durations of every window.
        tracker: decides on labels; without it, windows are only classified.
        heartbeat: called whenever samples came, and only then.
        patience_s: time without a sample after which the sensor is given up, seconds.
        rate_tolerance: largest relative difference from the model's rate at which samples are not resampled.
        watch: raises alarms; None if no class is an event.
        unknown: decides which windows have no label; None if all have one.
        mounting: corrects windows for a turned sensor; None if they are classified as measured.
        wearers: changes the wearer between two windows; None if nobody may.
        drift: whether windows are measured for a :class:`deseptr.device.DriftWatch`.
        on_samples: called after each read of the sensor with what it brought; it must not take long.

    Raises:
        UnhealthyError: if the sensor fails and cannot be recovered.
        SensorError: if it does not answer at all, is another chip, or does not fit the model.

    >>> from deseptr.firmware_harness.simulator import simulated_session
    >>> from deseptr.tflite import load_engine
    >>> events = list(run_live(load_engine(default_model()), simulated_session(), seconds=6))
    >>> [round(event.t, 1) for event in events]
    [2.5, 3.8, 5.1]
    """
    try:
        imu = RecoveringImu(
            session.imu, session.clock, reopen=session.reopen, patience_s=patience_s, ended=session.ended
        )
        runtime = Runtime(
            imu,
            engine,
            session.clock,
            profiler=profiler,
            tracker=tracker,
            ended=session.ended,
            heartbeat=heartbeat,
            rate_tolerance=rate_tolerance,
            watch=watch,
            unknown=unknown,
            mounting=mounting,
            wearers=wearers,
            drift=drift,
            on_samples=on_samples,
        )
        yield from runtime.events(seconds)
    finally:
        session.close()


def default_model() -> Path:
    """The model that comes with the package.

    Raises:
        SetupError: if this installation has none.

    >>> default_model().suffix
    '.tflite'
    """
    folder = files("deseptr.device") / "models"
    entries = folder.iterdir() if folder.is_dir() else iter(())
    models = sorted((entry for entry in entries if entry.name.endswith(".tflite")), key=lambda entry: entry.name)
    if not models:
        raise SetupError(
            "--model",
            found="no model, and no packaged one in this installation",
            expected="a .tflite file",
            next_step="make one with `deseptr convert RUN`, and name it with --model",
        )
    with as_file(models[0]) as path:
        return path
