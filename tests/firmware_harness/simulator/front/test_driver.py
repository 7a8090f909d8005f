import pytest

from deseptr.contract import SensorError
from deseptr.device import SystemClock
from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualI2cBus
from deseptr.firmware_harness.simulator.front import IoctlBus, missing_umockdev
from deseptr.firmware_harness.simulator.front.driver import drive

pytestmark = pytest.mark.skipif(bool(missing_umockdev()), reason=f"umockdev: {missing_umockdev()}")
SIGNALS = [1.0, -2.0, 9.0, 0.5, -1.0, 0.25]


@pytest.fixture
def clock():
    return SystemClock()


def test_the_driver_reads_the_chips_input(clock):
    chip = SimulatedMpu6050(ConstantSource(SIGNALS), clock)
    driven = drive(IoctlBus(VirtualI2cBus({0x68: chip}, clock)), "mpu6050", 20)
    assert driven.identity == "MPU-6050"
    assert driven.rate_hz == 100
    assert driven.temperature_c == pytest.approx(25, abs=1 / 340)
    assert len(driven.signals) >= 20
    # Half a count at 4 g, and at 500 degrees a second.
    assert abs(driven.signals[:, :3] - SIGNALS[:3]).max() <= 0.5 * 9.80665 / 8192 + 1e-6
    assert abs(driven.signals[:, 3:] - SIGNALS[3:]).max() <= 0.5 / 65.5 / 57.29 + 1e-6


def test_the_drivers_error_is_returned(clock):
    chip = SimulatedMpu6050(ConstantSource(SIGNALS), clock, who_am_i=0x12)
    with pytest.raises(SensorError, match="0x12"):
        drive(IoctlBus(VirtualI2cBus({0x69: chip}, clock)), "mpu6050", 1, address=0x69)
    with pytest.raises(SensorError, match="/dev/i2c-1 address 0x68: found no answer"):
        drive(IoctlBus(VirtualI2cBus({0x69: chip}, clock)), "mpu6050", 1)
