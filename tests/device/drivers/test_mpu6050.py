import errno

import numpy as np
import pytest

from deseptr.contract import SensorError
from deseptr.device import BusError, ImuConfig, Mpu6050
from deseptr.firmware_harness.simulator import BusFault, ConstantSource, SimulatedMpu6050, VirtualClock, VirtualI2cBus

MS = 1_000_000
CONFIG = ImuConfig(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000)


class Steps:
    """Sample k of a 50 Hz chip is k counts of the ±8 g range on every accelerometer axis, 2k on every gyroscope's."""

    duration_ns = None

    def at(self, times_ns):
        numbers = np.rint(times_ns / (20 * MS))[:, None]
        return numbers * np.array([1, 1, 1, 2, 2, 2]) * Mpu6050.si_per_count(8, 1000)


class Mpu6050Bench:
    def __init__(self, source=None, faults=(), **chip):
        self.clock = VirtualClock()
        self.chip = SimulatedMpu6050(source or Steps(), self.clock, **chip)
        self.bus = VirtualI2cBus({0x68: self.chip}, self.clock, faults=faults)
        self.imu = Mpu6050(self.bus, self.clock)

    def started(self, config=CONFIG):
        self.imu.identify()
        self.imu.configure(config)
        self.imu.start()
        return self

    def wait_samples(self, count, rate_hz=50):
        self.clock.sleep_ns(round(count * 1e9 / rate_hz))

    def drain_for_ever(self):
        while True:
            self.wait_samples(1)
            self.imu.drain()

    def drain(self):
        """Sample numbers, and the gap."""
        samples = self.imu.drain()
        return np.rint(samples.signals[:, 0] / Mpu6050.si_per_count(8, 1000)[0]).astype(int).tolist(), samples.gap


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (0x70, "an MPU-6500"),
        (0x71, "an MPU-9250"),
        (0x00, "an unknown chip"),
    ],
)
def test_another_chip_is_named(found, kind):
    with pytest.raises(SensorError) as caught:
        Mpu6050Bench(who_am_i=found).imu.identify()
    assert str(caught.value) == (
        f"mpu6050 on virtual I2C bus address 0x68: found WHO_AM_I 0x{found:02X} ({kind}), expected 0x68; "
        "choose the driver for that chip with --sensor, or let --sensor auto find it"
    )


def test_absent_chip():
    bench = Mpu6050Bench()
    absent = Mpu6050(bench.bus, bench.clock, address=0x69)
    with pytest.raises(BusError, match=r"virtual I2C bus address 0x69: found no answer \(EREMOTEIO\)"):
        absent.identify()


@pytest.mark.parametrize(
    ("rate_hz", "actual_hz", "bandwidth_hz"),
    [
        (50, 50, 20),
        (200, 200, 94),
        (100, 100, 42),
        (64, 1000 / 15, 20),
        (1000, 1000, 184),
        (2000, 1000, 184),
        (1, 1000 / 256, 5),
    ],
)
def test_rate_and_filter(rate_hz, actual_hz, bandwidth_hz):
    settings = Mpu6050Bench().imu.configure(ImuConfig(rate_hz, 8, 1000))
    assert (settings.rate_hz, settings.bandwidth_hz) == (actual_hz, bandwidth_hz)


@pytest.mark.parametrize("rate_hz", [20, 50, 100, 200, 400, 500, 1000])
def test_filter_stays_below_half_the_rate(rate_hz):
    bench = Mpu6050Bench()
    nyquist_hz = bench.imu.configure(ImuConfig(rate_hz, 2, 250)).rate_hz / 2
    dlpf = bench.chip.read(0x1A, 1)[0]
    assert max(Mpu6050.filter_bandwidths_hz[dlpf]) < nyquist_hz
    assert dlpf == 1 or max(Mpu6050.filter_bandwidths_hz[dlpf - 1]) >= nyquist_hz


@pytest.mark.parametrize(
    ("acc", "gyro", "registers", "actual"),
    [
        (2, 250, b"\x00\x00", (2, 250)),
        (3, 251, b"\x08\x08", (4, 500)),
        (8, 1000, b"\x10\x10", (8, 1000)),
        (16, 2000, b"\x18\x18", (16, 2000)),
    ],
)
def test_smallest_sufficient_full_scale(acc, gyro, registers, actual):
    bench = Mpu6050Bench()
    settings = bench.imu.configure(ImuConfig(50, acc, gyro))
    assert bench.chip.read(0x1B, 2) == registers
    assert (settings.acc_full_scale_g, settings.gyro_full_scale_dps) == actual


def test_full_scale_beyond_the_chip():
    with pytest.raises(SensorError) as caught:
        Mpu6050Bench().imu.configure(ImuConfig(50, 32, 1000))
    assert str(caught.value) == (
        "mpu6050 accelerometer: found a largest full scale of 16 g, expected at least 32 g; "
        "use a sensor with a larger range, or a model trained with a smaller one"
    )


def test_register_that_does_not_keep_its_value():
    with pytest.raises(SensorError) as caught:
        Mpu6050Bench(stuck_bits={0x1C: 0x10}).imu.configure(CONFIG)
    assert str(caught.value) == (
        "mpu6050 on virtual I2C bus: found ACCEL_CONFIG = 0x00 after writing it, expected 0x10; "
        "check power and wiring; a chip that goes on refusing is a clone or broken"
    )


def test_reset_that_never_ends_is_given_up():
    bench = Mpu6050Bench(reset_ns=10**12)
    with pytest.raises(SensorError, match=r"found still in reset after 300 ms, expected DEVICE_RESET cleared; power"):
        bench.imu.configure(CONFIG)
    assert bench.clock.now_ns() < 400 * MS


def test_samples_are_si_and_none_is_lost():
    bench = Mpu6050Bench(ConstantSource([1, -2, 9.81, 0.5, -0.25, 3])).started()
    bench.wait_samples(3)
    samples = bench.imu.drain()
    assert samples.gap is None
    assert samples.signals.dtype == np.float32
    half_count = Mpu6050.si_per_count(8, 1000) / 2
    assert (np.abs(samples.signals - [1, -2, 9.81, 0.5, -0.25, 3]) <= half_count * 1.0001).all()


def test_first_sample_after_start_is_the_first_drained():
    bench = Mpu6050Bench().started()
    bench.wait_samples(2.5)
    assert bench.drain() == ([0, 1], None)
    bench.wait_samples(0.2)
    assert bench.drain() == ([], None)
    bench.wait_samples(70)
    assert bench.drain() == (list(range(2, 72)), None)


def test_bursts_are_bounded_and_whole():
    bench = Mpu6050Bench().started()
    bench.wait_samples(45.5)
    lengths = []
    read = bench.chip.read
    bench.chip.read = lambda register, length: lengths.append((register, length)) or read(register, length)
    assert bench.drain()[0] == list(range(45))
    assert [length for register, length in lengths if register == 0x74] == [240, 240, 60]


def test_overflow_is_an_explicit_gap_and_samples_go_on_after_it():
    bench = Mpu6050Bench().started()
    bench.wait_samples(200.5)
    numbers, gap = bench.drain()
    assert (numbers, gap.reason, gap.resumed_ns) == ([], "overflow", bench.clock.now_ns())
    bench.wait_samples(3)
    assert bench.drain() == ([200, 201, 202], None)


def test_nearly_full_is_taken_as_overflow():
    bench = Mpu6050Bench().started()
    bench.wait_samples(Mpu6050.capacity + 0.5)
    assert bench.drain() == (list(range(Mpu6050.capacity)), None)
    bench.wait_samples(Mpu6050.capacity + 1)
    assert bench.drain()[1].reason == "overflow"


def test_overflow_while_the_data_is_being_read_is_noticed():
    bench = Mpu6050Bench().started()
    bench.wait_samples(40.5)
    read = bench.chip.read

    def slow(register, length):
        if register == 0x74:
            bench.wait_samples(60)
        return read(register, length)

    bench.chip.read = slow
    numbers, gap = bench.drain()
    assert (numbers, gap.reason) == ([], "overflow")


@pytest.mark.parametrize("consumed", [0, 5, 12, 17])
def test_broken_data_read_is_not_repeated_but_a_gap(consumed):
    fault = BusFault(errno.EIO, register=0x74, after=1, consumed=consumed)
    bench = Mpu6050Bench(faults=[fault]).started()
    bench.wait_samples(30.5)
    numbers, gap = bench.drain()
    assert (numbers, gap.reason) == ([], "read-error")
    bench.wait_samples(2)
    assert bench.drain() == ([30, 31], None)


def test_bus_that_stays_dead_is_an_error():
    bench = Mpu6050Bench(faults=[BusFault(errno.ETIMEDOUT, after=60, times=10**6)]).started()
    with pytest.raises(BusError) as caught:
        bench.drain_for_ever()
    assert caught.value.errno == errno.ETIMEDOUT


def test_stop_puts_the_chip_to_sleep():
    bench = Mpu6050Bench().started()
    bench.imu.stop()
    assert bench.chip.read(0x6B, 1)[0] & 0x40
    bench.wait_samples(10)
    assert bench.chip.read(0x72, 2) == b"\0\0"
