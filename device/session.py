"""A sensor to run a model on, real or simulated, and what a run of it is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError

from .bus import LinuxI2cBus
from .clock import Clock, SystemClock
from .engine import Engine
from .events import Event
from .imu import Imu
from .profiler import Profiler
from .runtime import Runtime
from .sensors import make_sensor


@dataclass(frozen=True)
class Session:
    """A sensor from power-up to the end of its data.

    Args:
        imu: its driver.
        clock: the clock that it lives by.
        ended: whether there is nothing more to come.
        sensor: what reports say about it: ``name``, ``bus`` and ``simulated`` at least.
        close: releases the bus.
    """

    imu: Imu
    clock: Clock
    ended: Callable[[], bool]
    sensor: dict[str, Any]
    close: Callable[[], None] = lambda: None


def live_session(bus: int = 1, sensor: str = "mpu6050") -> Session:
    """The sensor on a real bus, without end.

    Raises:
        SensorError: if the bus cannot be opened.
        SetupError: if there is no such driver, or smbus2 is missing.
    """
    clock = SystemClock()
    linux_bus = LinuxI2cBus(bus)
    imu = make_sensor(sensor, linux_bus, clock)
    description = {"name": sensor, "bus": linux_bus.path, "simulated": False}
    return Session(imu, clock, lambda: False, description, linux_bus.close)


def run_live(
    engine: Engine, session: Session, *, seconds: float | None = None, profiler: Profiler | None = None
) -> Generator[Event, None, None]:
    """Run a model on a session until it ends, or for ``seconds`` of its clock; then close the session.

    Raises:
        SensorError: if the sensor does not answer, is another chip, does not fit the model, or fails on the way.
    """
    try:
        runtime = Runtime(session.imu, engine, session.clock, profiler=profiler, ended=session.ended)
        yield from runtime.events(seconds)
    finally:
        session.close()


def default_model() -> Path:
    """The model that comes with the package.

    Raises:
        SetupError: if this installation has none.
    """
    folder = files("deseptr.device") / "models"
    entries = folder.iterdir() if folder.is_dir() else iter(())
    models = sorted((entry for entry in entries if entry.name.endswith(".tflite")), key=lambda entry: entry.name)
    if not models:
        raise SetupError(
            "--model",
            found="no model, and none in this installation",
            expected="a .tflite file",
            next_step="make one with `deseptr convert RUN`, and name it with --model",
        )
    with as_file(models[0]) as path:
        return path
