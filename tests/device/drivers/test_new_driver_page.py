"""The driver that docs/new-driver.md shows works as it is."""

import re
import sys
import types
from pathlib import Path

from deseptr.device import ImuConfig
from deseptr.device.drivers import sensors
from deseptr.firmware_harness.simulator import (
    CountingSource,
    SimulatedLsm6dsox,
    VirtualClock,
    VirtualI2cBus,
    counted_times,
)

PAGE = Path(__file__).parents[3] / "docs" / "new-driver.md"


def test_driver_on_the_page_is_found_and_samples(monkeypatch):
    module_code, line = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    module = types.ModuleType("deseptr.device.drivers.lsm6dsr")
    module.__package__ = "deseptr.device.drivers"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(module_code, "new-driver.md", "exec"), module.__dict__)
    names = {**vars(sensors), "Lsm6dsr": module.Lsm6dsr}
    exec(compile(line, "new-driver.md", "exec"), names)
    monkeypatch.setattr(sensors, "DRIVERS", names["DRIVERS"])
    monkeypatch.setattr(sensors, "SENSORS", {driver.name: driver for driver in names["DRIVERS"]})

    clock = VirtualClock()
    bus = VirtualI2cBus({0x6B: SimulatedLsm6dsox(CountingSource(), clock, who_am_i=0x6B)}, clock)
    imu = sensors.make_sensor("auto", bus, clock)
    assert isinstance(imu, module.Lsm6dsr)
    assert imu.identify() == "LSM6DSR"
    imu.configure(ImuConfig(50, 8, 1000))
    imu.start()
    clock.sleep_ns(1_000_000_000)
    assert (counted_times(imu.drain().signals) >= 0).sum() == 52


def test_line_on_the_page_names_every_driver_there_is():
    line = re.findall(r"```python\n(DRIVERS.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
    named = set(re.findall(r"\b(\w+)\b(?=[,)])", line.split("=")[1]))
    assert named == {driver.__name__ for driver in sensors.DRIVERS} | {"Lsm6dsr"}
