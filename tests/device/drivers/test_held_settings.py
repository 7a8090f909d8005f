"""A drain hands on no sample of a chip whose settings changed; registers are those of the datasheets, as numbers.

The drivers' own list of what they compare decides nothing here: a register that a driver forgot is one that fails.
"""

import pytest

from deseptr.contract import SensorError
from deseptr.device import SENSORS, ImuConfig, SettingsLostError
from deseptr.firmware_harness.simulator import CountingSource, VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.chips.registry import CHIPS

MS = 1_000_000
# Bank and register: what the accelerometer's and the gyroscope's scale, rate and filter, their power and the FIFO's
# content hang on. The banks are the ICM-20948's.
MPU = {0x19: "divider", 0x1A: "filter", 0x1B: "gyroscope", 0x1C: "accelerometer", 0x23: "FIFO", 0x6B: "power"}
ADXL = {0x2C: "rate", 0x2D: "power", 0x31: "full scale and self-test", 0x38: "FIFO", 0x1E: "offset", 0x20: "offset"}
LSM = {0x10: "accelerometer", 0x11: "gyroscope", 0x15: "modes", 0x16: "gyroscope's filter", 0x17: "accelerometer's"}
REGISTERS = {
    "mpu6050": {**MPU, 0x6C: "standby"},
    "mpu6500": {**MPU, 0x6C: "standby", 0x1D: "accelerometer's filter", 0x77: "accelerometer's trim"},
    "icm20948": {
        0x006: "power",
        0x007: "standby",
        0x012: "overflow of the FIFO",
        0x067: "FIFO",
        0x114: "accelerometer's trim",
        0x200: "gyroscope's divider",
        0x209: "alignment of the rates",
        0x201: "gyroscope",
        0x210: "accelerometer's divider, high",
        0x211: "accelerometer's divider, low",
        0x214: "accelerometer",
        0x215: "accelerometer's averaging",
    },
    "adxl345": ADXL,
    "bmi270": {
        0x40: "accelerometer's rate and filter",
        0x41: "accelerometer",
        0x42: "gyroscope's rate and filter",
        0x43: "gyroscope",
        0x45: "the FIFO's own filter",
        0x49: "FIFO",
        0x6D: "self-test",
        0x70: "accelerometer's offset",
        0x77: "gyroscope's offset",
        0x7C: "power saving",
        0x7D: "power",
    },
    "lis3dh": {0x20: "rate", 0x21: "filter", 0x23: "full scale and self-test", 0x24: "FIFO", 0x2E: "FIFO's mode"},
    "lsm6dsox": {**LSM, 0x09: "batching"},
    "lsm6ds3trc": {**LSM, 0x08: "decimation", 0x73: "accelerometer's offset"},
}


def test_every_driver_has_its_registers_here():
    assert set(REGISTERS) == set(SENSORS)


@pytest.mark.parametrize(("name", "register"), [(name, each) for name in REGISTERS for each in REGISTERS[name]])
def test_an_upset_register_is_noticed_before_a_sample_is_handed_on(name, register):
    clock = VirtualClock()
    chip = CHIPS[name](CountingSource(), clock)
    imu = SENSORS[name](VirtualI2cBus({SENSORS[name].addresses[0]: chip}, clock), clock)
    for bit in range(8):
        imu.configure(ImuConfig(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000))
        imu.start()
        clock.sleep_ns(200 * MS)
        assert imu.drain().gap is None
        chip.upset(register, bit)
        with pytest.raises(SettingsLostError) as lost:
            imu.drain()
        assert f"found {_name(imu, register)} = 0x" in str(lost.value)


@pytest.mark.parametrize("name", sorted(SENSORS))
def test_a_register_that_reads_back_differently_is_an_error_of_the_set_up(name):
    clock = VirtualClock()
    chip = CHIPS[name](CountingSource(), clock)
    bus = VirtualI2cBus({SENSORS[name].addresses[0]: chip}, clock)
    imu = SENSORS[name](bus, clock)
    scale = {"icm20948": 0x14, "adxl345": 0x31, "lis3dh": 0x23, "bmi270": 0x41}.get(
        name, 0x10 if name.startswith("lsm") else 0x1C
    )
    read = bus.read

    def stuck(address, register, length):
        data = bytearray(read(address, register, length))
        if register == scale and length == 1:
            data[0] ^= 0x08
        return bytes(data)

    bus.read = stuck
    with pytest.raises(SensorError, match="after writing it"):
        imu.configure(ImuConfig(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000))


def _name(imu, register):
    named = [each.name for each in imu.held_registers if each.bank << 8 | each.address == register]
    return named[0] if named else f"a register 0x{register:03X} that the driver does not hold"
