"""The simulated chip against literal figures of the register map, RM-MPU-6000A rev 4.2."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from ramp_source import RampSource

from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualClock

MS = 1_000_000
G = 9.80665


def awake(source=None, rate_divider=19, fifo=0x78, interrupts=0x10):
    clock = VirtualClock()
    chip = SimulatedMpu6050(source or RampSource(), clock)
    chip.write(0x6B, b"\x01")
    # The gyroscope starts up.
    clock.sleep_ns(30 * MS)
    for register, value in ((0x1A, 4), (0x19, rate_divider), (0x38, interrupts), (0x6A, 0x40)):
        chip.write(register, bytes((value,)))
    chip.write(0x23, bytes((fifo,)))
    return chip, clock


def fifo_count(chip):
    return int.from_bytes(chip.read(0x72, 2), "big")


def test_reset_values():
    chip = SimulatedMpu6050(RampSource(), VirtualClock())
    content = chip.read(0x00, 0x74)
    assert content[0x6B] == 0x40
    # The factory's trim for the self-test is different in every chip.
    assert all(content[0x0D:0x11])
    assert not any(content[:0x0D] + content[0x11:0x6B] + content[0x6C:])
    assert chip.read(0x75, 1) == b"\x68"


def test_reserved_bits_and_read_only_registers_ignore_writes():
    chip = SimulatedMpu6050(RampSource(), VirtualClock())
    for register in range(0x80):
        if register not in (0x6A, 0x6B):
            chip.write(register, b"\xff")
    content = chip.read(0x00, 0x74)
    assert (content[0x1A], content[0x1B], content[0x1C], content[0x38]) == (0x3F, 0xF8, 0xF8, 0x59)
    assert (content[0x00], content[0x3A], content[0x3B], content[0x72]) == (0, 0, 0, 0)
    assert chip.read(0x75, 1) == b"\x68"
    chip.write(0x6A, b"\x77")
    assert chip.read(0x6A, 1) == b"\x70"


def test_writes_go_on_to_the_next_register():
    chip, _ = awake()
    chip.write(0x1B, b"\x10\x08")
    assert chip.read(0x1B, 2) == b"\x10\x08"


def test_device_reset_takes_its_time_and_brings_reset_values():
    chip, clock = awake()
    chip.write(0x6B, b"\x80")
    assert chip.read(0x6B, 1) == b"\xc0"
    chip.write(0x19, b"\x07")
    clock.sleep_ns(50 * MS)
    assert chip.read(0x6B, 1) == b"\x40"
    assert chip.read(0x19, 1) == b"\x00"


def test_a_sleeping_chip_takes_no_sample():
    chip, clock = awake()
    chip.write(0x6B, b"\x41")
    before = chip.read(0x3B, 14)
    clock.sleep_ns(1000 * MS)
    assert fifo_count(chip) == 0
    assert chip.read(0x3B, 14) == before


@pytest.mark.parametrize(
    ("config", "divider", "period_ns"), [(0, 7, MS), (7, 3, MS // 2), (1, 0, MS), (4, 19, 20 * MS)]
)
def test_sample_period(config, divider, period_ns):
    chip, clock = awake(rate_divider=divider)
    chip.write(0x1A, bytes((config,)))
    clock.sleep_ns(10 * period_ns - 1)
    assert fifo_count(chip) == 9 * 12
    clock.sleep_ns(1)
    assert fifo_count(chip) == 10 * 12


def test_the_source_begins_with_the_first_sample_in_the_fifo():
    chip, clock = awake(fifo=0)
    clock.sleep_ns(333 * MS)
    chip.write(0x23, b"\x78")
    clock.sleep_ns(60 * MS)
    data = np.frombuffer(chip.read(0x74, 36), ">i2").reshape(3, 6)
    assert data[:, 0].tolist() == [0, 20, 40]


def test_sample_times_are_exact_after_a_long_time():
    chip, clock = awake()
    clock.sleep_ns(7 * 86_400 * 1000 * MS)
    chip.write(0x6A, b"\x04")
    chip.write(0x6A, b"\x40")
    assert fifo_count(chip) == 0
    clock.sleep_ns(20 * MS - 1)
    assert fifo_count(chip) == 0
    clock.sleep_ns(1)
    assert fifo_count(chip) == 12


def test_fifo_holds_enabled_sensors_in_the_order_of_their_registers():
    chip, clock = awake(ConstantSource([G, 0, 0, 0, 0, np.deg2rad(1)]), fifo=0x98)
    clock.sleep_ns(20 * MS)
    # ACCEL_XOUT = 1 g, TEMP_OUT = (25 - 36.53) * 340, GYRO_ZOUT = 131.
    expected = np.array([16384, 0, 0, -3920, 131], ">i2").tobytes()
    assert fifo_count(chip) == len(expected) == 10
    assert chip.read(0x74, 10) == expected
    assert chip.read(0x3B, 14) == np.array([16384, 0, 0, -3920, 0, 0, 131], ">i2").tobytes()


def test_fifo_count_is_latched_by_its_high_byte():
    chip, clock = awake()
    clock.sleep_ns(40 * MS)
    assert chip.read(0x73, 1) == b"\x00"
    assert chip.read(0x72, 1) == b"\x00"
    assert chip.read(0x73, 1) == b"\x18"
    clock.sleep_ns(20 * MS)
    assert chip.read(0x73, 1) == b"\x18"


def test_empty_fifo_gives_its_last_byte_again():
    chip, clock = awake()
    clock.sleep_ns(40 * MS)
    data = chip.read(0x74, 30)
    assert data[24:] == data[23:24] * 6
    assert fifo_count(chip) == 0


def test_fifo_reset_needs_the_fifo_disabled():
    chip, clock = awake()
    clock.sleep_ns(20 * MS)
    chip.write(0x6A, b"\x44")
    assert fifo_count(chip) == 12
    chip.write(0x6A, b"\x04")
    assert fifo_count(chip) == 0
    assert chip.read(0x6A, 1) == b"\x00"


def test_disabled_fifo_neither_fills_nor_gives():
    chip, clock = awake()
    clock.sleep_ns(20 * MS)
    chip.write(0x6A, b"\x00")
    clock.sleep_ns(20 * MS)
    assert fifo_count(chip) == 12
    assert chip.read(0x74, 2) == b"\x00\x00"
    assert fifo_count(chip) == 12


def test_overflow_drops_the_oldest_bytes_and_is_reported_once():
    chip, clock = awake()
    clock.sleep_ns(85 * 20 * MS)
    assert (fifo_count(chip), chip.read(0x3A, 1)) == (1020, b"\x00")
    clock.sleep_ns(20 * MS)
    assert (fifo_count(chip), chip.read(0x3A, 1), chip.read(0x3A, 1)) == (1024, b"\x10", b"\x00")
    # Eight bytes of the first datum are gone: the stream is misaligned by four.
    datum = np.array([20, 0, 0, 0, 0, 0], ">i2").tobytes()
    assert chip.read(0x74, 1024)[4:16] == datum


def test_long_stretch_gives_the_same_bytes_as_short_ones():
    long, clock = awake()
    clock.sleep_ns(5000 * 20 * MS)
    short, short_clock = awake()
    for _ in range(5000):
        short_clock.sleep_ns(20 * MS)
        short.read(0x75, 1)
    assert long.read(0x74, 1024) == short.read(0x74, 1024)


@pytest.mark.parametrize(("enable", "status"), [(0x01, 0x01), (0x00, 0x00), (0x10, 0x00)])
def test_data_ready_is_raised_if_enabled_and_cleared_by_reading(enable, status):
    chip, clock = awake(interrupts=enable)
    clock.sleep_ns(20 * MS)
    assert chip.read(0x3A, 1) == bytes((status,))
    assert chip.read(0x3A, 1) == b"\x00"


@given(
    st.integers(0, 3),
    st.integers(0, 3),
    st.lists(st.floats(-400, 400), min_size=6, max_size=6),
)
@settings(max_examples=60)
def test_counts_are_rounded_and_saturated(acc_range, gyro_range, signals):
    chip, clock = awake(ConstantSource(signals))
    chip.write(0x1B, bytes((gyro_range << 3, acc_range << 3)))
    clock.sleep_ns(20 * MS)
    counts = np.frombuffer(chip.read(0x74, 12), ">i2").astype(float)
    acc = G / (16384, 8192, 4096, 2048)[acc_range]
    gyro = np.pi / 180 / (131, 65.5, 32.8, 16.4)[gyro_range]
    exact = np.array(signals) / ([acc] * 3 + [gyro] * 3)
    inside = np.abs(exact) < 32767
    assert (np.abs(counts - exact)[inside] <= 0.5 + 1e-9).all()
    assert (counts[~inside] == np.where(exact > 0, 32767, -32768)[~inside]).all()


def test_source_that_ends():
    chip, clock = awake(RampSource(duration_ns=100 * MS))
    assert not chip.exhausted
    clock.sleep_ns(120 * MS - 1)
    chip.read(0x75, 1)
    assert not chip.exhausted
    clock.sleep_ns(1)
    assert chip.exhausted
    clock.sleep_ns(1000 * MS)
    assert fifo_count(chip) == 6 * 12


class Mpu6050FifoMachine(RuleBasedStateMachine):
    """Any legal use keeps count, order and alignment of the FIFO; a plain model has the expected content."""

    def __init__(self):
        super().__init__()
        self.chip, self.clock = awake(rate_divider=9)
        self.chip.read(0x3A, 1)
        self.sample = self.elapsed = 0
        self.expected = b""
        self.aligned = True

    @rule(milliseconds=st.integers(0, 400))
    def wait(self, milliseconds):
        self.clock.sleep_ns(milliseconds * MS)
        self.elapsed += milliseconds
        while (self.sample + 1) * 10 <= self.elapsed:
            value = min(32767, 10 * self.sample)
            self.expected += np.array([value, 0, 0, 0, 0, 0], ">i2").tobytes()
            self.sample += 1

    @rule(length=st.integers(1, 1100))
    def read_fifo(self, length):
        lost = max(0, len(self.expected) - 1024)
        assert self.chip.read(0x3A, 1)[0] & 0x10 == (0x10 if lost else 0)
        self.expected = self.expected[lost:]
        held = self.expected[:length]
        assert self.chip.read(0x74, length)[: len(held)] == held
        self.expected = self.expected[length:]

    @rule(register=st.integers(0x3B, 0x60), length=st.integers(1, 0x10))
    def read_elsewhere(self, register, length):
        self.chip.read(register, length)

    @rule(register=st.sampled_from([0x00, 0x3B, 0x72, 0x74, 0x75, 0x0D, 0x68]), value=st.integers(0, 255))
    def write_elsewhere(self, register, value):
        self.chip.write(register, bytes((value,)))

    @rule()
    def reset_fifo(self):
        for value in (0x00, 0x04, 0x40):
            self.chip.write(0x6A, bytes((value,)))
        self.chip.read(0x3A, 1)
        self.expected = b""

    @invariant()
    def count_is_right_and_bounded(self):
        assert fifo_count(self.chip) == min(1024, len(self.expected))


Mpu6050FifoMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestFifoMachine = Mpu6050FifoMachine.TestCase
