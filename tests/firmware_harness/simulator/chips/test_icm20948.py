"""The simulated chip against literal figures of the datasheet DS-000189 rev 1.3."""

import numpy as np
import pytest
from ramp_source import RampSource

from deseptr.firmware_harness.simulator import ConstantSource, SimulatedIcm20948, VirtualClock

MS = 1_000_000
G = 9.80665
REST = [0, 0, 0, 0, 0, 0]


class Icm20948Bench:
    def __init__(self, source=None, divider=44, fifo=0x1E, mode=0, **options):
        self.clock = VirtualClock()
        self.chip = SimulatedIcm20948(source or RampSource(gyroscope=True), self.clock, **options)
        self.write(0, 0x06, 0x01)
        # Gyroscope and accelerometer start up.
        self.clock.sleep_ns(40 * MS)
        for bank, register, value in (
            (0, 0x12, 0x1F),
            (0, 0x69, mode),
            (0, 0x03, 0x40),
            (0, 0x67, fifo),
            (2, 0x11, divider),
            (2, 0x00, divider),
        ):
            self.write(bank, register, value)

    def write(self, bank, register, *values):
        self.chip.write(0x7F, bytes((bank << 4,)))
        self.chip.write(register, bytes(values))

    def read(self, bank, register, length=1):
        self.chip.write(0x7F, bytes((bank << 4,)))
        return self.chip.read(register, length)

    def fifo_count(self):
        return int.from_bytes(self.read(0, 0x70, 2), "big")

    def counts(self):
        self.clock.sleep_ns(41 * MS)
        return np.frombuffer(self.read(0, 0x2D, 12), ">i2").astype(int)


def test_only_the_register_for_it_empties_the_fifo():
    bench = Icm20948Bench()
    bench.clock.sleep_ns(200 * MS)
    held = bench.fifo_count()
    assert held > 0
    bench.write(0, 0x0F, 0x11)
    assert bench.fifo_count() == held
    bench.write(0, 0x68, 0x1F)
    assert bench.fifo_count() == 0


def test_reset_values():
    bench = Icm20948Bench()
    chip = bench.chip = SimulatedIcm20948(ConstantSource(REST), VirtualClock())
    assert chip.read(0x00, 1) == b"\xea"
    held = {register: value for register, value in enumerate(chip.read(0x01, 0x65), 1) if value}
    assert held == {0x05: 0x40, 0x06: 0x41}
    assert chip.read(0x7F, 1) == b"\0"
    held = {register: value for register, value in enumerate(bench.read(2, 0x00, 0x55)) if value}
    assert held == {0x01: 0x01, 0x14: 0x01, 0x54: 0x03}
    # The factory's trims.
    assert all(bench.read(1, 0x02, 3) + bench.read(1, 0x0E, 3) + bench.read(1, 0x14, 2) + bench.read(1, 0x17, 2))
    assert not any(bench.read(3, 0x00, 0x7F))


def test_bank_select_keeps_two_bits_and_is_in_every_bank():
    chip = Icm20948Bench().chip
    chip.write(0x7F, b"\xff")
    assert chip.read(0x7F, 1) == b"\x30"
    assert chip.read(0x00, 1) != b"\xea"
    chip.write(0x7F, b"\xcf")
    assert (chip.read(0x7F, 1), chip.read(0x00, 1)) == (b"\0", b"\xea")


@pytest.mark.parametrize(
    ("bank", "register", "kept"),
    [
        (0, 0x05, 0x70),
        (0, 0x07, 0x3F),
        (0, 0x0F, 0xFE),
        (0, 0x12, 0x1F),
        (0, 0x19, 0x00),
        (0, 0x2D, 0x00),
        (0, 0x67, 0x1F),
        (0, 0x69, 0x1F),
        (1, 0x15, 0xFE),
        (2, 0x00, 0xFF),
        (2, 0x01, 0x3F),
        (2, 0x02, 0x3F),
        (2, 0x0A, 0x00),
        (2, 0x10, 0x0F),
        (2, 0x14, 0x3F),
        (2, 0x15, 0x1F),
    ],
)
def test_reserved_bits_and_read_only_registers_ignore_writes(bank, register, kept):
    bench = Icm20948Bench()
    bench.write(0, 0x06, 0x41)
    bench.write(bank, register, 0xFF)
    assert bench.read(bank, register)[0] == (kept or bench.read(bank, register)[0] * (register == 0x2D))


def test_device_reset_goes_back_to_bank_0():
    bench = Icm20948Bench()
    bench.write(2, 0x01, 0x3F)
    bench.write(0, 0x06, 0x80)
    assert bench.chip.read(0x06, 1)[0] & 0x80
    bench.clock.sleep_ns(50 * MS)
    assert bench.chip.read(0x06, 1) == b"\x41"
    assert bench.chip.read(0x7F, 1) == b"\0"
    assert bench.read(2, 0x01) == b"\x01"


@pytest.mark.parametrize(("divider", "samples", "in_ns"), [(0, 9, 8 * MS), (44, 25, 1000 * MS), (224, 5, 1000 * MS)])
def test_rate_is_1125_over_one_more_than_the_divider(divider, samples, in_ns):
    bench = Icm20948Bench(divider=divider)
    bench.clock.sleep_ns(in_ns + 100)
    assert bench.fifo_count() == 12 * samples


def test_unfiltered_gyroscope_has_9000_hz_and_accelerometer_4500():
    bench = Icm20948Bench(fifo=0)
    bench.write(2, 0x01, 0x00)
    bench.write(2, 0x14, 0x00)
    bench.write(0, 0x67, 0x12)
    bench.clock.sleep_ns(2 * MS + 1000)
    # 18 of the gyroscope's x axis, 9 of the accelerometer's three.
    assert bench.fifo_count() == 18 * 2 + 9 * 6


def test_sensors_enter_the_fifo_at_their_own_rates():
    bench = Icm20948Bench(fifo=0x12, divider=44)
    # The accelerometer at 12.5 Hz, the gyroscope at 25 Hz.
    bench.write(2, 0x11, 89)
    bench.clock.sleep_ns(161 * MS)
    data = np.frombuffer(bench.read(0, 0x72, 4 * 2 + 2 * 6), ">i2").tolist()
    assert data == [0, 40, 0, 0, 40, 80, 120, 0, 0, 120]
    bench.clock.sleep_ns(40 * MS)
    # The output registers of the slower one stand still meanwhile.
    assert np.frombuffer(bench.read(0, 0x2D, 8), ">i2").tolist() == [120, 0, 0, 160]


@pytest.mark.parametrize(("temperature_c", "count"), [(21, 0), (25, 1335), (85, 21368)])
def test_measurements_in_the_order_of_their_registers(temperature_c, count):
    signal = [G, 0, -G, 0, np.deg2rad(1), np.deg2rad(-2)]
    bench = Icm20948Bench(ConstantSource(signal), fifo=0x1F, temperature_c=temperature_c)
    bench.clock.sleep_ns(41 * MS)
    expected = np.array([16384, 0, -16384, 0, 131, -262, count], ">i2").tobytes()
    assert bench.read(0, 0x2D, 14) == bench.read(0, 0x72, 14) == expected


@pytest.mark.parametrize("mode", [0, 1])
def test_full_fifo_streams_or_keeps_its_snapshot(mode):
    bench = Icm20948Bench(mode=mode)
    bench.clock.sleep_ns(42 * 40 * MS + 1000)
    assert (bench.fifo_count(), bench.read(0, 0x1B)) == (504, b"\x00")
    bench.clock.sleep_ns(300 * 40 * MS)
    assert (bench.fifo_count(), bench.read(0, 0x1B), bench.read(0, 0x1B)) == (512, b"\x1f", b"\x00")
    data = bench.read(0, 0x72, 512)
    numbers = np.frombuffer(data[:504] if mode else data[8:], ">i2").reshape(42, 6)[:, 0]
    assert numbers.tolist() == list(range(0, 42 * 40, 40) if mode else range(300 * 40, 342 * 40, 40))


def test_fifo_reset_is_asserted_and_held():
    bench = Icm20948Bench()
    bench.clock.sleep_ns(41 * MS)
    bench.write(0, 0x68, 0x1F)
    bench.clock.sleep_ns(40 * MS)
    assert bench.fifo_count() == 0
    bench.write(0, 0x68, 0x00)
    bench.clock.sleep_ns(40 * MS)
    assert bench.fifo_count() == 12


@pytest.mark.parametrize("full_scale", range(4))
def test_self_test_shifts_by_the_factory_trim(full_scale):
    bench = Icm20948Bench(ConstantSource(REST))
    # ST_OTP = 2620 / 2^FS * 1.01^(code - 1).
    codes = np.frombuffer(bench.read(1, 0x0E, 3) + bench.read(1, 0x02, 3), np.uint8)
    responses = 2620 / 2**full_scale * 1.01 ** (codes - 1.0)
    bench.write(2, 0x01, 1 | full_scale << 1)
    bench.write(2, 0x14, 1 | full_scale << 1)
    tolerance = 0.5 + 0.002 * responses
    for axis in range(3):
        # AX_ST_EN_REG is bit 4 of ACCEL_CONFIG_2, XGYRO_CTEN bit 5 of GYRO_CONFIG_2.
        for register, highest, first in ((0x15, 0x10, 0), (0x02, 0x20, 3)):
            bench.write(2, register, highest >> axis)
            expected = np.where(np.arange(6) == first + axis, responses, 0)
            assert (np.abs(bench.counts() - expected) <= tolerance).all()
            bench.write(2, register, 0)
    assert not bench.counts().any()


def test_offsets_are_added():
    bench = Icm20948Bench(ConstantSource(REST))
    bench.write(2, 0x07, *(250).to_bytes(2, "big"))
    assert bench.counts().tolist() == [0, 0, 0, 0, 0, 1000]
    bench.write(2, 0x07, 0, 0)
    trim = int.from_bytes(bench.read(1, 0x1A, 2), "big", signed=True)
    bench.write(1, 0x1A, *(trim - 2 * 100).to_bytes(2, "big", signed=True))
    assert bench.counts().tolist() == [0, 0, round(-100 * 0.98e-3 * 16384), 0, 0, 0]
