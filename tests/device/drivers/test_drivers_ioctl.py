"""Every driver through unmodified smbus2 and ``/dev/i2c-1`` against its simulated chip, in a process of its own.

Skipped where umockdev is not installed.
"""

import numpy as np
import pytest

from deseptr.contract import ALL_CHANNELS, SensorError
from deseptr.device import SENSORS, SystemClock
from deseptr.firmware_harness.simulator import BusFault, ConstantSource, VirtualI2cBus
from deseptr.firmware_harness.simulator.chips.registry import CHIPS, driver_name, make_chip
from deseptr.firmware_harness.simulator.front import IoctlBus, missing_umockdev
from deseptr.firmware_harness.simulator.front.driver import CONFIG, drive

pytestmark = pytest.mark.skipif(bool(missing_umockdev()), reason=f"umockdev: {missing_umockdev()}")
SIGNALS = [1.0, -2.0, 9.0, 0.5, -1.0, 0.25]
every_driver = pytest.mark.parametrize("name", sorted(SENSORS))


def front_of(name, address=None, faults=()):
    clock = SystemClock()
    chip = CHIPS[name](ConstantSource(SIGNALS), clock, temperature_c=30.0)
    address = SENSORS[name].addresses[0] if address is None else address
    return IoctlBus(VirtualI2cBus({address: chip}, clock, faults=faults))


@every_driver
def test_driver_reads_the_chips_signals(name):
    driven = drive(front_of(name), name, 15)
    assert driven.identity in SENSORS[name].who_am_i_values.values()
    # In real time a busy machine may let the FIFO overflow, but nothing else.
    assert set(driven.gaps) <= {"overflow"}
    assert driven.temperature_c in (None, pytest.approx(30, abs=1 / 200))
    assert driven.rate_hz == pytest.approx(CONFIG.rate_hz, rel=0.05)
    assert len(driven.signals) >= 15
    half_count = SENSORS[name].si_per_count(4, 500) / 2
    assert len(driven.channels) == len(half_count)
    assert (np.abs(driven.signals - SIGNALS[: len(half_count)]) <= half_count * 1.001).all()


@pytest.mark.parametrize(("name", "field"), [("mpu9250", (-1.5, 19.5, -46.5)), ("icm20948", (19.5, 1.5, -46.5))])
def test_a_magnetometer_is_set_up_in_bypass_and_read_out_of_the_fifo(name, field):
    clock = SystemClock()
    chip = make_chip(name, ConstantSource(SIGNALS), clock)
    driven = drive(IoctlBus(VirtualI2cBus({0x68: chip}, clock)), driver_name(name), 15, magnetometer=True)
    assert driven.channels == ALL_CHANNELS
    assert set(driven.gaps) <= {"overflow"}
    assert len(driven.signals) >= 15
    np.testing.assert_allclose(driven.signals[:, 6:], np.tile(field, (len(driven.signals), 1)), atol=0.1)
    assert np.abs(driven.signals[:, :6] - SIGNALS).max() < 1e-2


@pytest.mark.parametrize("name", ["icm20948", "lsm6dsox", "adxl345"])
def test_auto_finds_it_at_its_other_address(name):
    other = SENSORS[name].addresses[1]
    driven = drive(front_of(name, other), "auto", 1)
    assert driven.identity in SENSORS[name].who_am_i_values.values()


@pytest.mark.parametrize("name", ["mpu6500", "lsm6dsox", "adxl345", "lis3dh"])
def test_a_broken_read_of_data_is_a_gap(name):
    fifo = CHIPS[name](ConstantSource(SIGNALS), SystemClock()).fifo_register
    driven = drive(front_of(name, faults=[BusFault(5, register=fifo, consumed=7)]), name, 15)
    assert driven.gaps[0] == "read-error"
    half_count = SENSORS[name].si_per_count(4, 500) / 2
    assert (np.abs(driven.signals - SIGNALS[: len(half_count)]) <= half_count * 1.001).all()


def test_no_chip_at_all():
    with pytest.raises(
        SensorError, match=r"/dev/i2c-1: found no answer at 0x68, 0x69, 0x6a, 0x6b, .*expected one of mpu6050"
    ):
        drive(IoctlBus(VirtualI2cBus({}, SystemClock())), "auto", 1)
