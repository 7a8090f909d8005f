"""A Raspberry Pi as files, and a sensor at rest on a simulated bus."""

import numpy as np
import pytest

from deseptr.device import SENSORS
from deseptr.device.doctor import Host, Subject
from deseptr.firmware_harness.simulator import BCM2835, RestingSource, VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.chips.registry import CHIPS

PI = {
    "dev/i2c-1": b"",
    "boot/firmware/config.txt": b"# comment\ndtparam=audio=on\ndtparam=i2c_arm=on,i2c_arm_baudrate=400000\n",
    "proc/modules": b"i2c_bcm2835 16384 0 - Live 0x0\ni2c_dev 16384 2 - Live 0x0000000000000000\n",
    "proc/device-tree/aliases/i2c1": b"/soc/i2c@7e804000\0",
    "proc/device-tree/soc/i2c@7e804000/clock-frequency": (400_000).to_bytes(4, "big"),
    "proc/device-tree/soc/i2c@7e205000/clock-frequency": (100_000).to_bytes(4, "big"),
    "sys/firmware/devicetree/base/model": b"Raspberry Pi Zero 2 W Rev 1.0\0",
    "sys/devices/platform/soc/soc:firmware/get_throttled": b"0\n",
    "sys/class/thermal/thermal_zone0/type": b"cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": b"48312\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": b"ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": b"600000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": b"1000000\n",
    "run/systemd/timesync/synchronized": b"",
}


@pytest.fixture
def make_root(tmp_path):
    def make(changes=None):
        """The files of a Pi, with ``changes``; None leaves a file out."""
        for name, content in ({**PI, **(changes or {})}).items():
            path = tmp_path / name
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return tmp_path

    return make


@pytest.fixture
def make_subject(make_root):
    """A subject on that Pi; the bus is simulated but taken for ``/dev/i2c-1`` unless ``simulated``."""

    def make(
        *,
        files=None,
        source=None,
        faults=(),
        profile=BCM2835,
        simulated=False,
        host=None,
        simulated_sensor="mpu6050",
        chip_options=None,
        **options,
    ):
        clock = VirtualClock()
        source = source or RestingSource(np.random.default_rng(0))
        chip = CHIPS[simulated_sensor](source, clock, **(chip_options or {}))
        bus = VirtualI2cBus({SENSORS[simulated_sensor].addresses[0]: chip}, clock, profile, list(faults))
        settings = {
            "root": make_root(files),
            "run": lambda command: "",
            "may_use": lambda path: True,
            "free_bytes": lambda path: 10**10,
            **(host or {}),
        }
        number = None if simulated else 1
        return Subject(Host(**settings), lambda: bus, clock, number, **options)

    return make
