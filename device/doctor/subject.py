"""The doctor's system under test: the host's files and commands, the bus, the sensor, the model; all passed in.

Slow steps, such as opening the bus or sampling for ten seconds, are done once, when the first check needs them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from deseptr.device.bus import I2cBus
from deseptr.device.clock import Clock
from deseptr.device.drivers.fifo_imu import FifoImu
from deseptr.device.drivers.imu import ImuConfig, ImuSettings
from deseptr.device.drivers.sensors import AUTO, FoundChip, make_sensor, probe
from deseptr.device.host.board import BoardState, read_board, run_command
from deseptr.device.host.power import RunCommand
from deseptr.device.session import default_model
from deseptr.tflite.engine import Engine, load_engine
from deseptr.tflite.runtimes import RUNTIMES, TfliteRuntime

from .bus_timing import BusTiming, time_bus
from .sampling import Sampling, sample

# Settings of a sensor without a model.
USUAL = ImuConfig(50.0, 8.0, 1000.0)


def may_use(path: Path) -> bool:
    """Whether this user may read and write a file."""
    return os.access(path, os.R_OK | os.W_OK)


def free_bytes(path: Path) -> int:
    """Room left on the disk that holds ``path``."""
    return shutil.disk_usage(path).free


@dataclass(frozen=True)
class Host:
    """The machine, with the parts that a test can replace.

    Args:
        root: folder that contains ``proc``, ``sys``, ``dev`` and ``boot``.
        folder: folder for recordings and logs.
        run: runs a command and gives its output, empty if it fails.
        may_use: whether this user may read and write a file.
        free_bytes: free space on a folder's disk, bytes.
        runtimes: TFLite runtimes that may be installed.
        numpy_version: the installed numpy.
    """

    root: Path = Path("/")
    folder: Path = Path()
    run: RunCommand = run_command
    may_use: Callable[[Path], bool] = may_use
    free_bytes: Callable[[Path], int] = free_bytes
    runtimes: Sequence[TfliteRuntime] = RUNTIMES
    numpy_version: str = np.__version__


@dataclass
class Subject:
    """The system under test.

    Args:
        host: the machine.
        open_bus: opens the I2C bus.
        clock: the sensor's clock.
        bus_number: N of ``/dev/i2c-N``; None if the bus is simulated.
        sensor: name of the chip, or ``auto``.
        address: its 7-bit address; by default the first that answers.
        model: the model; by default the packaged one.
        engine_kind: the TFLite runtime to load it with.
        seconds: duration of the sampling.
        bus_hz: configured bus clock; None to read it from the device tree.
        shared: whether to go on if another process has the bus open.
    """

    host: Host
    open_bus: Callable[[], I2cBus]
    clock: Clock
    bus_number: int | None = 1
    sensor: str = AUTO
    address: int | None = None
    model: Path | None = None
    engine_kind: str = "auto"
    seconds: float = 10.0
    bus_hz: int | None = None
    shared: bool = False
    _opened: list[I2cBus] = field(default_factory=list, init=False)

    @property
    def simulated(self) -> bool:
        """Whether bus and sensor are simulated."""
        return self.bus_number is None

    @cached_property
    def board(self) -> BoardState:
        """The board's state at the first call."""
        return read_board(self.host.root, self.host.run)

    @cached_property
    def bus(self) -> I2cBus:
        """The opened bus."""
        bus = self.open_bus()
        self._opened.append(bus)
        return bus

    @cached_property
    def chips(self) -> list[FoundChip]:
        """The chips that answer at the addresses that the drivers know."""
        return probe(self.bus, None if self.address is None else (self.address,))

    @cached_property
    def imu(self) -> FifoImu:
        """The sensor's driver."""
        return make_sensor(self.sensor, self.bus, self.clock, self.address)

    @cached_property
    def bus_timing(self) -> BusTiming:
        """Measured timing of the bus, from reads of the first chip that answers."""
        return time_bus(self.bus, self.clock, self.chips[0].address)

    @cached_property
    def engine(self) -> Engine:
        """The loaded model."""
        return load_engine(self.model or default_model(), self.engine_kind)

    @property
    def config(self) -> ImuConfig:
        """Settings that the model needs; :data:`USUAL` if no model was loaded."""
        engine = self.__dict__.get("engine")
        return USUAL if engine is None else ImuConfig.from_contract(engine.contract)

    @cached_property
    def settings(self) -> ImuSettings:
        """Settings that the sensor took."""
        self.imu.identify()
        return self.imu.configure(self.config)

    @cached_property
    def sampling(self) -> Sampling:
        """A few seconds of samples; the sensor must have been set up."""
        return sample(self.imu, self.clock, self.settings.rate_hz, self.seconds)

    def close(self) -> None:
        """Release the bus, if it was opened."""
        for bus in self._opened:
            bus.close()
        self._opened.clear()
