"""Drivers that others wrote, unmodified, against the simulated chips: what they measure is what ours do.

Adafruit's get the bus through the interface that they expect of a board, in virtual time; m-rtijn's ``mpu6050`` opens
``/dev/i2c-1``, with smbus2 for the smbus that it wants, which has the same functions.
"""

import json
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from deseptr.contract import STANDARD_GRAVITY
from deseptr.device import SENSORS, ImuConfig, SystemClock
from deseptr.firmware_harness.simulator import (
    ConstantSource,
    SimulatedMpu6050,
    SimulatedMpu6500,
    VirtualClock,
    VirtualI2cBus,
)
from deseptr.firmware_harness.simulator.chips.magnetometer import FIELD_UT
from deseptr.firmware_harness.simulator.chips.registry import CHIPS, make_chip
from deseptr.firmware_harness.simulator.front import IoctlBus, Message, MessageBus, missing_umockdev

MS = 1_000_000
# In m/s^2 and rad/s, inside the smallest full scales.
FELT = [3.0, -9.5, 12.25, 0.5, -1.75, 3.25]
ADAFRUIT = {
    "mpu6050": ("adafruit_mpu6050", "adafruit_mpu6050", "MPU6050"),
    "icm20948": ("adafruit_icm20x", "adafruit_icm20x", "ICM20948"),
    "lsm6dsox": ("adafruit_lsm6ds", "adafruit_lsm6ds.lsm6dsox", "LSM6DSOX"),
    "lsm6ds3trc": ("adafruit_lsm6ds", "adafruit_lsm6ds.lsm6ds3trc", "LSM6DS3TRC"),
}


class BoardI2c:
    """An I2C bus as CircuitPython's drivers want it (``busio.I2C``)."""

    def __init__(self, bus):
        self.bus = MessageBus(bus)

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, buffer, *, start=0, end=None):
        self.bus.transfer([Message(address, bytes(buffer[start:end]))])

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        end = len(buffer) if end is None else end
        buffer[start:end] = self.bus.transfer([Message(address, length=end - start)])[0]

    def writeto_then_readfrom(self, address, out, buffer, *, out_start=0, out_end=None, in_start=0, in_end=None):
        in_end = len(buffer) if in_end is None else in_end
        messages = [Message(address, bytes(out[out_start:out_end])), Message(address, length=in_end - in_start)]
        buffer[in_start:in_end] = self.bus.transfer(messages)[1]


class Adafruit:
    """Adafruit's driver of a chip that feels :data:`FELT`."""

    def __init__(self, name, monkeypatch, temperature_c=31.0):
        package, module, driver = ADAFRUIT[name]
        self.package, self.module = pytest.importorskip(package), pytest.importorskip(module)
        self.clock = VirtualClock()
        monkeypatch.setattr(self.package, "sleep", lambda seconds: self.clock.sleep_ns(round(seconds * 1e9)))
        self.chip = CHIPS[name](ConstantSource(FELT), self.clock, temperature_c=temperature_c)
        address = SENSORS[name].addresses[0]
        # Power has come up long ago.
        self.clock.sleep_ns(100 * MS)
        bus = VirtualI2cBus({address: self.chip}, self.clock)
        self.driver = getattr(self.module, driver)(BoardI2c(bus), address)

    def measure(self):
        self.clock.sleep_ns(200 * MS)
        return np.array([*self.driver.acceleration, *self.driver.gyro])


def ours(name, acc_g, gyro_dps):
    """What our driver gets of a chip of its own that feels the same."""
    clock = VirtualClock()
    bus = VirtualI2cBus({SENSORS[name].addresses[0]: CHIPS[name](ConstantSource(FELT), clock)}, clock)
    imu = SENSORS[name](bus, clock)
    imu.configure(ImuConfig(100, acc_g, gyro_dps))
    imu.start()
    clock.sleep_ns(200 * MS)
    return imu.drain().signals[-1]


def range_name(full_scale, unit, package):
    return (
        f"RANGE_{full_scale}_{unit}" if package == "adafruit_mpu6050" or unit == "DPS" else f"RANGE_{full_scale}{unit}"
    )


@pytest.mark.parametrize("name", ADAFRUIT)
@pytest.mark.parametrize(("acc_g", "gyro_dps"), [(2, 250), (4, 500), (8, 1000), (16, 2000)])
def test_adafruit_measures_the_same_as_our_driver(name, acc_g, gyro_dps, monkeypatch):
    theirs = Adafruit(name, monkeypatch)
    ranges = getattr(theirs.package, "Range", None) or theirs.package.AccelRange
    theirs.driver.accelerometer_range = getattr(ranges, range_name(acc_g, "G", theirs.package.__name__))
    theirs.driver.gyro_range = getattr(theirs.package.GyroRange, range_name(gyro_dps, "DPS", theirs.package.__name__))
    measured = theirs.measure()
    assert measured == pytest.approx(ours(name, acc_g, gyro_dps), rel=1e-6, abs=1e-7)
    assert (np.abs(measured - FELT) <= SENSORS[name].si_per_count(acc_g, gyro_dps) * 0.501).all()


@pytest.mark.parametrize("name", ["mpu6050", "lsm6dsox", "lsm6ds3trc"])
@pytest.mark.parametrize("temperature_c", [-15.0, 31.0])
def test_adafruit_measures_the_same_temperature(name, temperature_c, monkeypatch):
    theirs = Adafruit(name, monkeypatch, temperature_c)
    theirs.clock.sleep_ns(200 * MS)
    assert theirs.driver.temperature == pytest.approx(temperature_c, abs=1 / 200)


def test_adafruit_reads_the_fifo(monkeypatch):
    theirs = Adafruit("mpu6050", monkeypatch)
    theirs.driver.filter_bandwidth = theirs.package.Bandwidth.BAND_44_HZ
    theirs.driver.sample_rate_divisor = 19
    theirs.driver.fiforst = True
    theirs.driver.fifo_en = True
    theirs.driver.accel_fifo_en = True
    theirs.clock.sleep_ns(1_010 * MS)
    assert theirs.driver.fifo_count == 50 * 6
    counts = np.frombuffer(theirs.driver.read_whole_fifo(), ">i2").reshape(50, 3)
    assert theirs.driver.scale_accel(counts[0]) == pytest.approx(FELT[:3], abs=9.80665 / 16384)
    assert (counts == counts[0]).all()


@pytest.mark.parametrize("divisor", [0, 20, 100, 255])
def test_adafruit_sets_the_stated_rate(divisor, monkeypatch):
    theirs = Adafruit("icm20948", monkeypatch)
    theirs.driver.accel_dlpf_cutoff = theirs.package.AccelDLPFFreq.FREQ_23_9HZ_3DB
    theirs.driver.gyro_dlpf_cutoff = theirs.package.GyroDLPFFreq.FREQ_23_9HZ_3DB
    theirs.driver.accelerometer_data_rate_divisor = divisor
    theirs.driver.gyro_data_rate_divisor = divisor
    assert theirs.driver.gyro_data_rate_divisor == divisor
    assert theirs.driver.accelerometer_data_rate == pytest.approx(1e9 / theirs.chip.period_ns, rel=1e-6)


@pytest.mark.parametrize("acc_g", [2, 4, 8, 16])
def test_adafruits_adxl34x_measures_the_same_as_our_driver(acc_g, monkeypatch):
    module = pytest.importorskip("adafruit_adxl34x")
    clock = VirtualClock()
    bus = VirtualI2cBus({0x53: CHIPS["adxl345"](ConstantSource(FELT), clock)}, clock)
    driver = module.ADXL345(BoardI2c(bus))
    driver.range = getattr(module.Range, f"RANGE_{acc_g}_G")
    driver.data_rate = module.DataRate.RATE_100_HZ
    clock.sleep_ns(200 * MS)
    # It takes 4 mg for a count, the datasheet's round figure for 1/256 g.
    measured = np.array(driver.acceleration) / 0.004 / 256
    assert measured == pytest.approx(ours("adxl345", acc_g, 250), rel=1e-6)
    driver.offset = (64, -64, 32)
    clock.sleep_ns(200 * MS)
    moved = np.array(driver.acceleration) / 0.004 / 256 - measured
    assert moved / STANDARD_GRAVITY == pytest.approx([1.0, -1.0, 0.5], abs=0.01)


# Counts per g that it takes at each full scale, as if that were 32768, and those of the datasheet's sensitivities of 1,
# 2, 4 and 12 mg per digit of 12 bits in words of 16.
@pytest.mark.parametrize(
    ("acc_g", "taken", "true"), [(2, 16380, 16000), (4, 8190, 8000), (8, 4096, 4000), (16, 1365, 16 / 12e-3)]
)
def test_adafruits_lis3dh_measures_the_same_as_our_driver(acc_g, taken, true, monkeypatch):
    # Of no use without interrupt pins, and not to be imported without a board.
    monkeypatch.setitem(sys.modules, "digitalio", SimpleNamespace(DigitalInOut=object))
    module = pytest.importorskip("adafruit_lis3dh")
    clock = VirtualClock()
    monkeypatch.setattr(module, "time", VirtualTime(clock))
    bus = VirtualI2cBus({0x18: CHIPS["lis3dh"](ConstantSource(FELT), clock)}, clock)
    driver = module.LIS3DH_I2C(BoardI2c(bus))
    driver.range = getattr(module, f"RANGE_{acc_g}_G")
    driver.data_rate = module.DATARATE_100_HZ
    clock.sleep_ns(200 * MS)
    measured = np.array(driver.acceleration) / 9.806 * taken / true
    high_resolution_g, normal_g = {16: 12e-3}.get(acc_g, acc_g / 2000), {16: 48e-3}.get(acc_g, acc_g / 500)
    assert measured == pytest.approx(np.array(FELT[:3]) / STANDARD_GRAVITY, abs=0.501 * high_resolution_g)
    assert measured * STANDARD_GRAVITY == pytest.approx(ours("lis3dh", acc_g, 250), abs=0.75 * normal_g * 9.81)


class VirtualSmbus:
    """The functions of ``smbus2.SMBus`` that drivers use, on a bus in virtual time."""

    def __init__(self, bus):
        self.bus = MessageBus(bus)

    def write_i2c_block_data(self, address, register, data):
        self.bus.transfer([Message(address, bytes((register, *data)))])

    def write_byte_data(self, address, register, value):
        self.bus.transfer([Message(address, bytes((register, value)))])

    def read_byte_data(self, address, register):
        return self.read_i2c_block_data(address, register, 1)[0]

    def read_i2c_block_data(self, address, register, length):
        return list(self.bus.transfer([Message(address, bytes((register,))), Message(address, length=length)])[1])


class VirtualTime:
    """The functions of ``time`` that drivers use, on a virtual clock."""

    def __init__(self, clock):
        self._clock = clock

    def sleep(self, seconds):
        self._clock.sleep_ns(round(seconds * 1e9))

    def time(self):
        return self._clock.now_ns() / 1e9


def test_adafruit_reads_the_magnetometer_of_the_icm20948(monkeypatch):
    theirs = Adafruit("icm20948", monkeypatch)
    assert theirs.driver._mag_configured
    theirs.measure()
    assert theirs.driver.magnetic == pytest.approx(FIELD_UT, abs=0.15)


def test_the_icm20948_of_pypi_starts_and_measures(monkeypatch):
    package = pytest.importorskip("icm20948")
    clock = VirtualClock()
    monkeypatch.setattr(package, "time", VirtualTime(clock))
    bus = VirtualI2cBus({0x68: CHIPS["icm20948"](ConstantSource(FELT), clock)}, clock)
    clock.sleep_ns(100 * MS)
    driver = package.ICM20948(i2c_bus=VirtualSmbus(bus))
    assert driver.read_magnetometer_data() == pytest.approx(FIELD_UT, abs=0.15)
    acceleration_g, rate_dps = np.split(np.array(driver.read_accelerometer_gyro_data()), 2)
    measured = np.concatenate([acceleration_g * STANDARD_GRAVITY, np.deg2rad(rate_dps)])
    assert measured == pytest.approx(FELT, abs=5e-3)


@pytest.mark.parametrize("slave", [None, 0x69])
def test_the_mpu9250_jmdev_of_pypi_starts_and_measures(monkeypatch, slave):
    module = pytest.importorskip("mpu9250_jmdev.mpu_9250")
    clock = VirtualClock()
    bus = VirtualI2cBus({0x68: make_chip("mpu9250", ConstantSource(FELT), clock)}, clock)
    monkeypatch.setattr(module, "time", VirtualTime(clock))
    monkeypatch.setattr(module, "smbus", SimpleNamespace(SMBus=lambda number: VirtualSmbus(bus)))
    clock.sleep_ns(100 * MS)
    # With a second sensor behind the first one it reads the magnetometer through the I2C master.
    driver = module.MPU9250(address_mpu_slave=slave)
    driver.configure()
    clock.sleep_ns(100 * MS)
    assert driver.readMagnetometerMaster() == pytest.approx(FIELD_UT, abs=0.2)
    assert driver.readAccelerometerMaster() == pytest.approx([value / STANDARD_GRAVITY for value in FELT[:3]], abs=1e-3)
    # It takes 2000 deg/s for the largest count, which is 2 parts in a thousand less than 16.4 counts a degree.
    assert driver.readGyroscopeMaster() == pytest.approx(list(np.rad2deg(FELT[3:])), rel=3e-3)


@pytest.mark.parametrize(("acc_g", "gyro_dps"), [(2, 250), (4, 500), (8, 1000), (16, 2000)])
def test_the_bmi270_of_pypi_loads_its_file_and_measures_the_same_as_our_driver(acc_g, gyro_dps, monkeypatch):
    module = pytest.importorskip("bmi270.BMI270")
    clock = VirtualClock()
    bus = VirtualI2cBus({0x69: CHIPS["bmi270"](ConstantSource(FELT), clock)}, clock)
    monkeypatch.setattr(module, "SMBus", lambda number: VirtualSmbus(bus))
    monkeypatch.setattr(module, "sleep", VirtualTime(clock).sleep)
    driver = module.BMI270(0x69)
    driver.load_config_file()
    assert driver.read_register(0x21) == 1
    driver.set_mode("performance")
    driver.set_acc_range(getattr(module, f"ACC_RANGE_{acc_g}G"))
    driver.set_gyr_range(getattr(module, f"GYR_RANGE_{gyro_dps}"))
    clock.sleep_ns(200 * MS)
    measured = np.concatenate([driver.get_acc_data(), driver.get_gyr_data()])
    # It takes 9.81 m/s^2 for a g, or the standard.
    measured[:3] *= STANDARD_GRAVITY / module.GRAVITY
    assert measured == pytest.approx(ours("bmi270", acc_g, gyro_dps), rel=1e-5, abs=1e-7)
    assert driver.get_temp_data() == pytest.approx(25, abs=1 / 200)


SMBUS_PROGRAM = """
import json, sys, time
import smbus2
sys.modules["smbus"] = smbus2
from mpu6050 import mpu6050
sensor = mpu6050(0x68)
time.sleep(0.1)
readings = []
for acc, gyro in ((0x00, 0x00), (0x08, 0x08), (0x10, 0x10), (0x18, 0x18)):
    sensor.set_accel_range(acc)
    sensor.set_gyro_range(gyro)
    time.sleep(0.05)
    acceleration, rate = sensor.get_accel_data(), sensor.get_gyro_data()
    readings.append([acceleration[axis] for axis in "xyz"] + [rate[axis] for axis in "xyz"])
print(json.dumps({"signals": readings, "temperature": sensor.get_temp()}))
"""


@pytest.mark.skipif(find_spec("mpu6050") is None, reason="no package mpu6050-raspberrypi")
@pytest.mark.skipif(bool(missing_umockdev()), reason=f"umockdev: {missing_umockdev()}")
@pytest.mark.parametrize("chip", [SimulatedMpu6050, SimulatedMpu6500])
def test_mpu6050_of_pypi_measures_the_same_as_our_driver(chip):
    clock = SystemClock()
    front = IoctlBus(VirtualI2cBus({0x68: chip(ConstantSource(FELT), clock)}, clock))
    done = front.run([sys.executable, "-c", SMBUS_PROGRAM], timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    readings = json.loads(done.stdout)
    name = "mpu6050" if chip is SimulatedMpu6050 else "mpu6500"
    for signals, acc_g, gyro_dps in zip(readings["signals"], (2, 4, 8, 16), (250, 500, 1000, 2000), strict=True):
        # It gives degrees per second.
        measured = np.concatenate([signals[:3], np.deg2rad(signals[3:])])
        assert measured == pytest.approx(ours(name, acc_g, gyro_dps), rel=1e-6, abs=1e-7)
    if chip is SimulatedMpu6050:
        assert readings["temperature"] == pytest.approx(25, abs=1 / 300)
