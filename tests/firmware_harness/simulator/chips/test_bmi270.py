"""The simulated BMI270 against its datasheet: figures here are the document's, as numbers."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deseptr.firmware_harness.simulator import ConstantSource, CountingSource, VirtualClock, counted_times
from deseptr.firmware_harness.simulator.chips.bmi270 import SimulatedBmi270

G = 9.80665
MS = 1_000_000
DPS = np.pi / 180
CONFIG = bytes.fromhex("c82e").ljust(8192, b"\x55")
ACC, GYR, STATUS, LENGTH, DATA, PWR_CONF, PWR_CTRL, CMD = 0x0C, 0x12, 0x03, 0x24, 0x26, 0x7C, 0x7D, 0x7E
FIFO_CONFIG_0, FIFO_CONFIG_1 = 0x48, 0x49
FELT = [G, -G / 2, 20 * G, 100 * DPS, -50 * DPS, 4000 * DPS]


def put(chip, register, *values):
    chip.write(register, bytes(values))


def load(chip, clock, config=CONFIG, burst=256):
    put(chip, PWR_CONF, 0)
    put(chip, 0x59, 0)
    for begin in range(0, len(config), burst):
        put(chip, 0x5B, begin // 2 & 0x0F, begin // 2 >> 4)
        chip.write(0x5E, config[begin : begin + burst])
    put(chip, 0x59, 1)
    clock.sleep_ns(20 * MS)


def measuring(source=None, *, registers=(), **options):
    clock = VirtualClock()
    chip = SimulatedBmi270(source or ConstantSource(FELT), clock, **options)
    load(chip, clock)
    for register, value in ((FIFO_CONFIG_0, 0), (0x40, 0xA8), (0x42, 0xA8), *registers, (PWR_CTRL, 0x0E)):
        put(chip, register, value)
    return chip, clock


def words(chip, register, count=3):
    return np.frombuffer(chip.read(register, 2 * count), "<i2").tolist()


def one(chip, register):
    return chip.read(register, 1)[0]


def length(chip):
    return int.from_bytes(chip.read(LENGTH, 2), "little")


def times_of(frames):
    """Times in ns of frames of both sensors at ±8 g and ±1000 degrees/s, gyroscope first."""
    rows = np.frombuffer(frames, np.uint8).reshape(-1, 13)
    assert (rows[:, 0] == 0x8C).all()
    counts = np.ascontiguousarray(rows[:, 1:]).view("<i2")[:, [3, 4, 5, 0, 1, 2]]
    return counted_times((counts * ([G / 4096] * 3 + [DPS / 32.768] * 3)).astype(np.float32))


def test_reset_values_and_identity():
    chip = SimulatedBmi270(ConstantSource(np.zeros(6)), VirtualClock())
    expected = {
        0x00: 0x24, 0x03: 0x10, 0x1B: 0x01, 0x23: 0x80, 0x40: 0xA8, 0x41: 0x02, 0x42: 0xA9, 0x44: 0x46, 0x45: 0x88,
        0x47: 0x02, 0x48: 0x02, 0x49: 0x10, 0x4B: 0x20, 0x4C: 0x83, 0x4D: 0x42, 0x4E: 0x4C, 0x4F: 0x02, 0x59: 0x90,
        0x6C: 0xFF, 0x7C: 0x03,
    }  # fmt: skip
    found = {register: one(chip, register) for register in range(0x80) if register != DATA}
    assert found == {register: expected.get(register, 0) for register in range(0x80) if register != DATA}
    # Power-on is told once.
    assert one(chip, 0x1B) == 0


@pytest.mark.parametrize("burst", [2, 32, 256])
def test_initialised_by_the_whole_file_in_any_bursts(burst):
    clock = VirtualClock()
    chip = SimulatedBmi270(ConstantSource(FELT), clock)
    load(chip, clock, burst=burst)
    assert one(chip, 0x21) == 1


@pytest.mark.parametrize("config", [CONFIG[:-32], b"\0" + CONFIG[1:], b""])
def test_another_file_is_an_error(config):
    clock = VirtualClock()
    chip = SimulatedBmi270(ConstantSource(FELT), clock)
    load(chip, clock, config)
    assert one(chip, 0x21) == 2
    put(chip, PWR_CTRL, 0x0E)
    clock.sleep_ns(100 * MS)
    assert one(chip, STATUS) == 0x10


def test_nothing_is_loaded_in_power_saving():
    clock = VirtualClock()
    chip = SimulatedBmi270(ConstantSource(FELT), clock)
    put(chip, 0x59, 0)
    chip.write(0x5E, CONFIG)
    put(chip, 0x59, 1)
    clock.sleep_ns(100 * MS)
    assert one(chip, 0x21) == 0


@pytest.mark.parametrize(("code", "hz"), [(0x06, 25), (0x07, 50), (0x08, 100), (0x0C, 1600)])
def test_rate(code, hz):
    chip, _ = measuring(registers=[(0x40, 0xA0 | code), (0x42, 0xA0 | code)])
    assert 1e9 / chip.period_ns == pytest.approx(hz)


@pytest.mark.parametrize(
    ("code", "acc", "gyro"),
    [
        (0, [16384, -8192, 32767], [1638, -819, 32767]),
        (1, [8192, -4096, 32767], [3277, -1638, 32767]),
        (2, [4096, -2048, 32767], [6554, -3277, 32767]),
        (3, [2048, -1024, 32767], [13107, -6554, 32767]),
        (4, [16384, -8192, 32767], [26214, -13107, 32767]),
    ],
)
def test_full_scales_and_saturation(code, acc, gyro):
    chip, clock = measuring(registers=[(0x41, code & 3), (0x43, code)])
    clock.sleep_ns(100 * MS)
    assert one(chip, STATUS) == 0xD0
    assert words(chip, ACC) == acc
    assert one(chip, STATUS) == 0x50
    assert words(chip, GYR) == gyro
    assert one(chip, STATUS) == 0x10


def test_cross_sensitivity_is_on_the_feature_page():
    chip, clock = measuring(ConstantSource([0, 0, 0, 0, 0, 512 * DPS]), factor_zx=-20, registers=[(0x43, 1)])
    clock.sleep_ns(100 * MS)
    assert words(chip, GYR) == [round(-20 * 32.768), 0, round(512 * 32.768)]
    assert one(chip, 0x3C) == -20 & 0x7F
    put(chip, 0x2F, 1)
    assert one(chip, 0x3C) == 0


def test_offsets_and_self_test():
    still = ConstantSource(np.zeros(6))
    chip, clock = measuring(still, registers=[(0x41, 3), (0x43, 1), (0x71, 0x40), (0x74, 0xFF), (0x77, 0x03)])
    clock.sleep_ns(100 * MS)
    assert words(chip, ACC) + words(chip, GYR) == [0] * 6
    put(chip, 0x70, 0x08)
    put(chip, 0x77, 0x43)
    clock.sleep_ns(100 * MS)
    assert words(chip, ACC) == [round(64 * 3.9e-3 * 2048), 0, 0]
    assert words(chip, GYR) == [round(-0.061 * 32.768), 0, 0]
    for value, sign in ((0x0D, 1), (0x09, -1)):
        put(chip, 0x70, 0)
        put(chip, 0x6D, value)
        clock.sleep_ns(100 * MS)
        assert words(chip, ACC) == [sign * each for each in (18432, -17408, 12288)]


@pytest.mark.parametrize("temperature_c", [-20.0, 23.0, 60.5])
def test_temperature(temperature_c):
    chip, clock = measuring(temperature_c=temperature_c)
    clock.sleep_ns(100 * MS)
    assert words(chip, 0x22, 1)[0] / 512 + 23 == pytest.approx(temperature_c)


def test_frames_have_a_header_and_the_gyroscope_first():
    chip, clock = measuring(registers=[(FIFO_CONFIG_1, 0xD0)])
    clock.sleep_ns(100 * MS)
    assert length(chip) == 10 * 13
    first, *_, last = np.frombuffer(chip.read(DATA, 130), np.uint8).reshape(10, 13)
    # The gyroscope starts after 45 ms.
    assert first.tobytes()[:7] == bytes.fromhex("8c027f00800080")
    assert last[0] == 0x8C
    assert np.frombuffer(last[7:].tobytes(), "<i2").tolist() == [4096, -2048, 32767]
    assert chip.read(DATA, 3) == b"\x80" * 3


def test_a_frame_read_in_part_is_given_again_and_no_headers_without_them():
    chip, clock = measuring(CountingSource(), registers=[(FIFO_CONFIG_1, 0xD0), (0x43, 1)])
    clock.sleep_ns(200 * MS)
    put(chip, CMD, 0xB0)
    clock.sleep_ns(35 * MS)
    whole = chip.read(DATA, 20)
    assert length(chip) == 26
    assert np.diff(times_of(whole[:13] + chip.read(DATA, 26))).tolist() == [10 * MS, 10 * MS]
    put(chip, FIFO_CONFIG_1, 0xC0)
    clock.sleep_ns(30 * MS)
    assert length(chip) == 36


def test_the_slower_sensor_is_in_every_other_frame():
    chip, clock = measuring(registers=[(FIFO_CONFIG_1, 0xD0), (0x42, 0xA9)])
    clock.sleep_ns(26 * MS)
    # 200 Hz and 100 Hz.
    assert length(chip) == 3 * 13 + 2 * 7
    frames = chip.read(DATA, 53)
    assert [frames[place] for place in (0, 13, 20, 33, 40)] == [0x8C, 0x88, 0x8C, 0x88, 0x8C]


def test_a_full_fifo_drops_the_oldest_and_says_how_many():
    chip, clock = measuring(CountingSource(), registers=[(FIFO_CONFIG_1, 0xD0), (0x43, 1)])
    clock.sleep_ns(200 * MS)
    put(chip, CMD, 0xB0)
    clock.sleep_ns(1605 * MS)
    assert length(chip) == 157 * 13 + 2
    assert chip.read(DATA, 2) == bytes((0x40, 3))
    assert length(chip) == 157 * 13
    clock.sleep_ns(10_000 * MS)
    assert chip.read(DATA, 2) == bytes((0x40, 0xFF))
    assert np.diff(times_of(chip.read(DATA, 26))).tolist() == [10 * MS]


def test_a_fifo_that_stops_keeps_the_oldest():
    chip, clock = measuring(CountingSource(), registers=[(FIFO_CONFIG_0, 1), (FIFO_CONFIG_1, 0xD0), (0x43, 1)])
    clock.sleep_ns(10_000 * MS)
    assert length(chip) == 157 * 13 + 2
    # After the notice of those that found no room, the samples from the beginning on.
    assert times_of(chip.read(DATA, 2 + 12 * 13)[2 + 10 * 13 :]).tolist() == [100 * MS, 110 * MS]


def test_soft_reset_forgets_the_file_and_takes_two_milliseconds():
    chip, clock = measuring(registers=[(FIFO_CONFIG_1, 0xD0)])
    put(chip, CMD, 0xB6)
    put(chip, 0x41, 3)
    assert (one(chip, 0x41), one(chip, 0x21), one(chip, PWR_CTRL), length(chip)) == (2, 0, 0, 0)
    clock.sleep_ns(2 * MS)
    put(chip, 0x41, 3)
    assert one(chip, 0x41) == 3


@given(st.integers(0, 0x7F), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_reserved_bits_stay_zero(register, value):
    chip = SimulatedBmi270(ConstantSource(np.zeros(6)), VirtualClock())
    put(chip, register, value)
    reserved = {0x41: 0xFC, 0x43: 0xF0, 0x47: 0xE0, 0x48: 0xFC, 0x6D: 0xF2, 0x70: 0xF0, 0x7C: 0xF8, 0x7D: 0xF0}
    assert all(one(chip, each) & bits == 0 for each, bits in reserved.items())
    assert one(chip, 0x00) == 0x24


class Bmi270Machine(RuleBasedStateMachine):
    """Whatever is written and read in whatever order, the FIFO holds what its datasheet says."""

    @initialize(rate_error=st.floats(-0.1, 0.1))
    def power_up(self, rate_error):
        self.clock, self.runs = VirtualClock(), []
        self.chip = SimulatedBmi270(CountingSource(), self.clock, rate_error=rate_error, on_samples=self.runs.append)
        self.frames, self.dropped, self.counted, self.known = deque(), 0, 0, False

    def take(self):
        """Enter the samples that have come into a FIFO of 2048 bytes of its own."""
        one(self.chip, 0x00)
        times = [time for run in self.runs for time in run.times_ns.tolist()]
        for time in times[self.counted :]:
            self.frames.append(time - self.chip.source_begun_ns)
            while 13 * len(self.frames) + 2 * bool(self.dropped) > 2048:
                self.frames.popleft()
                self.dropped += 1
        self.counted = len(times)

    @rule(code=st.integers(6, 10))
    def set_up(self, code):
        self.clock.sleep_ns(3 * MS)
        put(self.chip, CMD, 0xB6)
        self.clock.sleep_ns(3 * MS)
        load(self.chip, self.clock)
        for register, value in ((FIFO_CONFIG_0, 0), (FIFO_CONFIG_1, 0xD0), (0x43, 1), (0x40, 0xA0 | code)):
            put(self.chip, register, value)
        put(self.chip, 0x42, 0xA0 | code)
        put(self.chip, PWR_CTRL, 0x0E)
        self.clock.sleep_ns(100 * MS)
        self.take()
        put(self.chip, CMD, 0xB0)
        self.frames.clear()
        self.dropped, self.known = 0, True

    @rule(nanoseconds=st.one_of(st.integers(0, 300 * MS), st.integers(0, 10**10)))
    def wait(self, nanoseconds):
        self.clock.sleep_ns(nanoseconds)

    @rule(frames=st.integers(0, 40), part=st.integers(0, 12))
    def read_frames(self, frames, part):
        if not self.known:
            return
        self.take()
        assert length(self.chip) == 13 * len(self.frames) + 2 * bool(self.dropped)
        if self.dropped:
            assert self.chip.read(DATA, 2) == bytes((0x40, min(255, self.dropped)))
            self.dropped = 0
        frames = min(frames, len(self.frames))
        data = self.chip.read(DATA, 13 * frames + part)[: 13 * frames]
        assert times_of(data).tolist() == [self.frames.popleft() for _ in range(frames)]

    @rule(register=st.integers(0, 0x7F), values=st.binary(min_size=1, max_size=4))
    def write(self, register, values):
        self.chip.write(register, values)
        self.known = False

    @rule()
    def lose_power(self):
        self.chip.power_cycle()
        self.known = False
        assert (length(self.chip), one(self.chip, 0x21)) == (0, 0)

    @invariant()
    def keeps_to_its_document(self):
        if hasattr(self, "chip"):
            assert one(self.chip, 0x00) == 0x24
            assert length(self.chip) <= 2048


Bmi270Machine.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestBmi270Machine = Bmi270Machine.TestCase
