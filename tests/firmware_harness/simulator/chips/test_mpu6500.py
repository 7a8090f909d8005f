"""The simulated chip against literal figures of RM-MPU-6500A rev 2.1 and RM-MPU-9250A rev 1.6."""

import numpy as np
import pytest
from ramp_source import RampSource

from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6500, VirtualClock

MS = 1_000_000
G = 9.80665
REST = [0, 0, 0, 0, 0, 0]


def awake(source=None, config=4, divider=19, fifo=0x78, **options):
    clock = VirtualClock()
    chip = SimulatedMpu6500(source or RampSource(), clock, **options)
    chip.write(0x6B, b"\x01")
    # Gyroscope and accelerometer start up.
    clock.sleep_ns(40 * MS)
    for register, value in ((0x1A, config), (0x1D, 4), (0x19, divider), (0x38, 0x10), (0x6A, 0x40), (0x23, fifo)):
        chip.write(register, bytes((value,)))
    return chip, clock


def fifo_count(chip):
    return int.from_bytes(chip.read(0x72, 2), "big")


@pytest.mark.parametrize(("who_am_i", "power"), [(0x70, 0x40), (0x71, 0x01), (0x73, 0x01)])
def test_reset_values(who_am_i, power):
    chip = SimulatedMpu6500(ConstantSource(REST), VirtualClock(), who_am_i=who_am_i)
    content = chip.read(0x00, 0x74)
    assert (content[0x6B], chip.read(0x75, 1)[0]) == (power, who_am_i)
    # The factory's trims.
    assert all(content[0x00:0x03] + content[0x0D:0x10] + chip.read(0x77, 2) + chip.read(0x7A, 2) + chip.read(0x7D, 2))
    assert not any(content[0x03:0x0D] + content[0x10:0x3B] + content[0x49:0x6B] + content[0x6C:])


def test_an_mpu9250_is_awake_after_power_up():
    clock = VirtualClock()
    chip = SimulatedMpu6500(ConstantSource([G, 0, 0, 0, 0, 0]), clock, who_am_i=0x71)
    clock.sleep_ns(20 * MS)
    assert chip.read(0x3B, 2) == b"\x40\x00"


def test_an_mpu9250_starts_up_after_the_end_of_a_reset():
    clock = VirtualClock()
    chip = SimulatedMpu6500(ConstantSource([G, 0, 0, 0, 0, 0]), clock, who_am_i=0x71)
    clock.sleep_ns(100 * MS)
    chip.write(0x6B, b"\x80")
    # 50 ms of reset, and 20 ms until the accelerometer's first sample.
    clock.sleep_ns(69 * MS)
    assert chip.read(0x3B, 2) == b"\0\0"
    clock.sleep_ns(2 * MS)
    assert chip.read(0x3B, 2) == b"\x40\x00"


def test_reserved_bits_and_read_only_registers_ignore_writes():
    chip, _ = awake()
    for register in range(0x7F):
        if register not in (0x6A, 0x6B):
            chip.write(register, b"\xff")
    for register, kept in ((0x1A, 0x7F), (0x1B, 0xFB), (0x1C, 0xF8), (0x1D, 0xCF), (0x1E, 0x0F), (0x38, 0x59)):
        assert chip.read(register, 1)[0] == kept
    assert chip.read(0x72, 2) == b"\0\0"
    assert chip.read(0x78, 1)[0] & 1 == 0
    assert chip.read(0x75, 1) == b"\x70"
    chip.write(0x6A, b"\xff")
    assert chip.read(0x6A, 1) == b"\xf0"


@pytest.mark.parametrize(
    ("config", "gyro_config", "divider", "period_ns"),
    [
        (1, 0, 0, MS),
        (6, 0, 19, 20 * MS),
        # The divider is for the filtered gyroscope alone.
        (0, 0, 19, 125_000),
        (7, 0, 7, 125_000),
        (4, 1, 19, 31_250),
        (4, 2, 19, 31_250),
    ],
)
def test_sample_period(config, gyro_config, divider, period_ns):
    chip, clock = awake(config=config, divider=divider, fifo=0)
    chip.write(0x1B, bytes((gyro_config,)))
    chip.write(0x19, bytes((divider,)))
    chip.write(0x23, b"\x78")
    clock.sleep_ns(10 * period_ns - 1)
    assert fifo_count(chip) == 9 * 12
    clock.sleep_ns(1)
    assert fifo_count(chip) == 10 * 12


@pytest.mark.parametrize(("temperature_c", "count"), [(21, 0), (25, 1335), (-40, -20366)])
def test_measurements_in_the_order_of_their_registers(temperature_c, count):
    signal = [G, 0, -G, 0, np.deg2rad(1), np.deg2rad(-2)]
    chip, clock = awake(ConstantSource(signal), fifo=0xF8, temperature_c=temperature_c)
    clock.sleep_ns(20 * MS)
    expected = np.array([16384, 0, -16384, count, 0, 131, -262], ">i2").tobytes()
    assert chip.read(0x3B, 14) == chip.read(0x74, 14) == expected


def test_stream_mode_overwrites_the_oldest_bytes():
    chip, clock = awake()
    clock.sleep_ns(42 * 20 * MS)
    assert (fifo_count(chip), chip.read(0x3A, 1)) == (504, b"\x00")
    clock.sleep_ns(20 * MS)
    assert (fifo_count(chip), chip.read(0x3A, 1), chip.read(0x3A, 1)) == (512, b"\x10", b"\x00")
    # Four bytes of the first datum are gone.
    datum = np.array([20, 0, 0, 0, 0, 0], ">i2").tobytes()
    assert chip.read(0x74, 512)[8:20] == datum


@pytest.mark.parametrize("samples", [43, 44, 300, 5000])
def test_stop_on_full_keeps_the_oldest(samples):
    chip, clock = awake(config=0x44)
    clock.sleep_ns(samples * 20 * MS)
    assert (fifo_count(chip), chip.read(0x3A, 1)) == (512, b"\x10")
    data = np.frombuffer(chip.read(0x74, 504), ">i2").reshape(42, 6)
    assert data[:, 0].tolist() == list(range(0, 42 * 20, 20))
    clock.sleep_ns(20 * MS)
    assert fifo_count(chip) == 8 + 12


def test_fifo_reset_works_while_enabled_and_disabling_only_blocks_access():
    chip, clock = awake()
    clock.sleep_ns(20 * MS)
    chip.write(0x6A, b"\x00")
    clock.sleep_ns(20 * MS)
    assert chip.read(0x74, 2) == b"\0\0"
    assert fifo_count(chip) == 24
    chip.write(0x6A, b"\x44")
    assert (fifo_count(chip), chip.read(0x6A, 1)) == (0, b"\x40")


def counts(chip, clock):
    clock.sleep_ns(20 * MS)
    data = np.frombuffer(chip.read(0x3B, 14), ">i2").astype(int)
    return data[[0, 1, 2, 4, 5, 6]]


@pytest.mark.parametrize("full_scale", range(4))
def test_self_test_shifts_by_the_factory_trim(full_scale):
    chip, clock = awake(ConstantSource(REST))
    # ST_OTP = 2620 / 2^FS * 1.01^(code - 1).
    codes = np.frombuffer(chip.read(0x0D, 3) + chip.read(0x00, 3), np.uint8)
    responses = 2620 / 2**full_scale * 1.01 ** (codes - 1.0)
    # Full scale 1000 deg/s has 32.8 counts, not 131 / 4.
    tolerance = 0.5 + 0.002 * responses
    for axis in range(3):
        for register, first in ((0x1C, 0), (0x1B, 3)):
            chip.write(register, bytes((0x80 >> axis | full_scale << 3,)))
            expected = np.where(np.arange(6) == first + axis, responses, 0)
            assert (np.abs(counts(chip, clock) - expected) <= tolerance).all()
            chip.write(register, bytes((full_scale << 3,)))
    assert not counts(chip, clock).any()


def test_offsets_are_added():
    chip, clock = awake(ConstantSource(REST))
    # OffsetLSB = X_OFFS_USR * 4 / 2^FS_SEL.
    chip.write(0x15, (-100).to_bytes(2, "big", signed=True))
    assert counts(chip, clock).tolist() == [0, 0, 0, 0, -400, 0]
    chip.write(0x1B, b"\x08")
    assert counts(chip, clock).tolist() == [0, 0, 0, 0, -200, 0]
    chip.write(0x15, b"\0\0")
    # 0.98 mg a step from bit 1 on.
    trim = int.from_bytes(chip.read(0x77, 2), "big", signed=True)
    chip.write(0x77, (trim + 2 * 50).to_bytes(2, "big", signed=True))
    assert counts(chip, clock).tolist() == [round(50 * 0.98e-3 * 16384), 0, 0, 0, 0, 0]
