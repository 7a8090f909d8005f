"""A program that reads a sensor with its driver through ``/dev/i2c-N``, and how to run it behind a front end.

``python -m deseptr.firmware_harness.front.driver SENSOR COUNT BUS [ADDRESS]`` knows of no simulation: bus, smbus2 and
driver are those of the device. It prints one JSON object. :func:`drive` runs it against a chip at ioctl level, which a
test of any driver may do too::

    clock = SystemClock()
    chip = SimulatedMpu6050(ConstantSource(signals), clock)
    driven = drive(IoctlBus(VirtualI2cBus({0x68: chip}, clock)), "mpu6050", 50)
    assert driven.signals == pytest.approx(signals, abs=...)
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DeseptrError, SensorError
from deseptr.device import ImuConfig, LinuxI2cBus, SystemClock, make_sensor

from .ioctl import IoctlBus

POLL_NS = 40_000_000
CONFIG = ImuConfig(rate_hz=100, acc_full_scale_g=4, gyro_full_scale_dps=500)


@dataclass(frozen=True)
class Driven:
    """What a driver in another process got.

    Args:
        signals: ``[n, 6]`` in m/s^2 and rad/s.
        identity: what ``identify()`` said.
        rate_hz: the output data rate that the chip was set to.
        temperature_c: the chip's temperature.
        gaps: reasons of the gaps.
    """

    signals: NDArray[np.float64]
    identity: str
    rate_hz: float
    temperature_c: float
    gaps: tuple[str, ...]


def drive(
    front: IoctlBus, sensor: str, count: int, *, address: int | None = None, timeout: float | None = 60.0
) -> Driven:
    """Read ``count`` samples or more with the driver ``sensor``, in a process of its own.

    Args:
        front: the bus, in real time.
        sensor: name of the driver.
        count: how many samples.
        address: of the chip; the driver's usual one if None.
        timeout: seconds after which the process is killed.

    Raises:
        SensorError: what the driver raised there.
        SetupError: if umockdev is not installed.
        subprocess.CalledProcessError: if the process broke down.
    """
    module = [sys.executable, "-m", "deseptr.firmware_harness.front.driver"]
    arguments = [sensor, str(count), front.path.rpartition("-")[2], *([] if address is None else [str(address)])]
    done = front.run([*module, *arguments], timeout=timeout)
    done.check_returncode()
    facts = json.loads(done.stdout)
    if "error" in facts:
        raise SensorError(**facts["error"])
    return Driven(np.array(facts.pop("signals")), gaps=tuple(facts.pop("gaps")), **facts)


def read_samples(sensor: str, count: int, number: int, address: int | None) -> dict[str, Any]:
    """Read ``count`` samples or more from a sensor on ``/dev/i2c-<number>``.

    Raises:
        SensorError: if the bus or the chip fails.
    """
    clock = SystemClock()
    bus = LinuxI2cBus(number)
    try:
        imu = make_sensor(sensor, bus, clock, address)
        identity = imu.identify()
        settings = imu.configure(CONFIG)
        imu.start()
        signals: list[list[float]] = []
        gaps: list[str] = []
        while len(signals) < count:
            clock.sleep_ns(POLL_NS)
            samples = imu.drain()
            signals += samples.signals.tolist()
            gaps += [samples.gap.reason] if samples.gap else []
        temperature_c = imu.temperature_c()
        imu.stop()
    finally:
        bus.close()
    return {
        "signals": signals,
        "gaps": gaps,
        "identity": identity,
        "rate_hz": settings.rate_hz,
        "temperature_c": temperature_c,
    }


def main(sensor: str, count: str, number: str, address: str | None = None) -> None:
    """Print what :func:`read_samples` gives, or what it raises, as JSON."""
    try:
        facts = read_samples(sensor, int(count), int(number), None if address is None else int(address))
    except DeseptrError as error:
        said = {name: getattr(error, name) for name in ("thing", "found", "expected", "next_step")}
        facts = {"error": said}
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
