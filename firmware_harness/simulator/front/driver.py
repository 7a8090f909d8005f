"""A short reading of a sensor with its driver, also in a separate process behind a front end.

``python -m deseptr.firmware_harness.simulator.front.driver SENSOR COUNT BUS ADDRESS|- own|nine`` uses no simulation:
bus, smbus2 and driver are those of the device. It prints one JSON object. :func:`drive` runs it against a chip at ioctl
level, as tests of any driver can do::

    clock = SystemClock()
    chip = SimulatedMpu6050(ConstantSource(signals), clock)
    driven = drive(IoctlBus(VirtualI2cBus({0x68: chip}, clock)), "mpu6050", 50)
    assert driven.signals == pytest.approx(signals, abs=...)
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DeseptrError, SensorError
from deseptr.device import Clock, I2cBus, ImuConfig, LinuxI2cBus, SystemClock, make_sensor

from .ioctl import IoctlBus

POLL_NS = 40_000_000
# Two seconds without a sample: the source has ended.
SILENT_POLLS = 50
CONFIG = ImuConfig(rate_hz=100, acc_full_scale_g=4, gyro_full_scale_dps=500)


@dataclass(frozen=True)
class Driven:
    """Readings of a driver.

    Args:
        signals: ``[n, channel]`` in m/s^2, rad/s and microtesla.
        identity: result of ``identify()``.
        rate_hz: the output data rate that the chip was set to.
        temperature_c: the chip's temperature; None if it cannot tell.
        gaps: reasons of the gaps.
        channels: names of the channels.
    """

    signals: NDArray[np.float64]
    identity: str
    rate_hz: float
    temperature_c: float | None
    gaps: tuple[str, ...]
    channels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, which :meth:`from_dict` reads back."""
        return asdict(self) | {"signals": self.signals.tolist()}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Driven:
        """The readings from :meth:`to_dict`."""
        channels = tuple(facts["channels"])
        signals = np.array(facts["signals"], np.float64).reshape(-1, len(channels))
        return cls(**facts | {"signals": signals, "gaps": tuple(facts["gaps"]), "channels": channels})


def read_samples(
    bus: I2cBus, clock: Clock, sensor: str, count: int, address: int | None = None, *, magnetometer: bool = False
) -> Driven:
    """Read at least ``count`` samples; fewer if no more come.

    Args:
        bus: the bus.
        clock: waits between the reads.
        sensor: name of the driver.
        count: number of samples.
        address: the chip's address; the driver's default if None.
        magnetometer: whether to read it, too.

    Raises:
        SensorError: if the bus or the chip fails.
        SetupError: if there is no such driver.
    """
    imu = make_sensor(sensor, bus, clock, address)
    identity = imu.identify()
    settings = imu.configure(replace(CONFIG, mag_full_scale_ut=0.0) if magnetometer else CONFIG)
    imu.start()
    signals = np.empty((0, len(settings.channels)))
    gaps: list[str] = []
    silent = 0
    while len(signals) < count and silent < SILENT_POLLS:
        clock.sleep_ns(POLL_NS)
        samples = imu.drain()
        silent = 0 if len(samples.signals) else silent + 1
        signals = np.concatenate([signals, samples.signals])
        gaps += [samples.gap.reason] if samples.gap else []
    temperature_c = imu.temperature_c()
    imu.stop()
    return Driven(signals, identity, settings.rate_hz, temperature_c, tuple(gaps), settings.channels)


def drive(
    front: IoctlBus,
    sensor: str,
    count: int,
    *,
    address: int | None = None,
    magnetometer: bool = False,
    timeout: float | None = 60.0,
) -> Driven:
    """As :func:`read_samples`, in a separate process that opens the bus at ``/dev/i2c-N``.

    Args:
        front: the bus, in real time.
        sensor: name of the driver.
        count: number of samples.
        address: the chip's address; the driver's default if None.
        magnetometer: whether to read it, too.
        timeout: seconds after which the process is ended.

    Raises:
        SensorError: the driver's error in that process.
        SetupError: if umockdev is not installed.
        subprocess.CalledProcessError: if the process failed otherwise.
        subprocess.TimeoutExpired: if it took longer.
    """
    module = [sys.executable, "-m", "deseptr.firmware_harness.simulator.front.driver"]
    place, channels = "-" if address is None else str(address), "nine" if magnetometer else "own"
    arguments = [sensor, str(count), str(front.number), place, channels]
    done = front.run([*module, *arguments], timeout=timeout)
    done.check_returncode()
    facts = json.loads(done.stdout)
    if "error" in facts:
        raise SensorError(**facts["error"])
    return Driven.from_dict(facts)


def main(sensor: str, count: str, number: str, address: str = "-", channels: str = "own") -> None:
    """Print the readings of a sensor on ``/dev/i2c-<number>``, or the error, as JSON."""
    facts: dict[str, Any]
    try:
        with closing(LinuxI2cBus(int(number))) as bus:
            found = None if address == "-" else int(address)
            nine = channels == "nine"
            facts = read_samples(bus, SystemClock(), sensor, int(count), found, magnetometer=nine).to_dict()
    except DeseptrError as error:
        facts = {"error": {name: getattr(error, name) for name in ("thing", "found", "expected", "next_step")}}
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
