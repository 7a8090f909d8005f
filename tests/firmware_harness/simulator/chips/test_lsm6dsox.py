"""The simulated chip against literal figures of the datasheet DS12814 and application note AN5272."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from ramp_source import RampSource

from deseptr.firmware_harness.simulator import (
    ConstantSource,
    CountingSource,
    SimulatedLsm6dsox,
    VirtualClock,
    counted_times,
)

MS = 1_000_000
G = 9.80665
# 128 / 6667 Hz.
PERIOD_NS = 19_199_040
ACC_SI = 0.244e-3 * G
GYRO_SI = np.deg2rad(0.035)


def powered(source=None, **options):
    clock = VirtualClock()
    chip = SimulatedLsm6dsox(source or CountingSource(), clock, **options)
    clock.sleep_ns(15 * MS)
    return chip, clock


def awake(source=None, mode=0x06, bdr=0x33, settled=True, **options):
    """52 Hz, ±8 g, ±1000 deg/s, everything in the FIFO, settled."""
    chip, clock = powered(source, **options)
    for register, value in ((0x12, 0x44), (0x09, bdr), (0x10, 0x3C), (0x11, 0x38)):
        chip.write(register, bytes((value,)))
    clock.sleep_ns(200 * MS if settled else 0)
    chip.write(0x0A, bytes((mode,)))
    return chip, clock


def level(chip):
    low, high = chip.read(0x3A, 2)
    return (high & 3) << 8 | low


def flags(chip):
    return chip.read(0x3B, 1)[0] & 0xF8


def read_words(chip, count):
    """Tags, and counts [n, 3]."""
    words = np.frombuffer(chip.read(0x78, 7 * count), np.uint8).reshape(-1, 7)
    return words[:, 0].tolist(), np.ascontiguousarray(words[:, 1:]).view("<i2")


def test_reset_values():
    chip, _ = powered()
    content = chip.read(0x00, 0x78)
    expected = {0x02: 0x3F, 0x0F: 0x6C, 0x12: 0x04, 0x18: 0xE0}
    assert {register: value for register, value in enumerate(content) if value} == expected


def test_writes_are_ignored_while_it_boots():
    clock = VirtualClock()
    chip = SimulatedLsm6dsox(CountingSource(), clock)
    clock.sleep_ns(15 * MS - 1)
    chip.write(0x10, b"\x30")
    assert chip.read(0x10, 1) == b"\x00"
    clock.sleep_ns(1)
    chip.write(0x10, b"\x30")
    assert chip.read(0x10, 1) == b"\x30"


def test_reserved_bits_and_read_only_registers_ignore_writes():
    chip, _ = powered()
    for register in range(0x04, 0x78):
        if register != 0x12:
            chip.write(register, b"\xff")
    content = chip.read(0x00, 0x78)
    assert content[0x07:0x0F] == b"\xff\xd7\xff\xf7\xe7\xff\xff\x7f"
    assert content[0x10:0x12] + content[0x13:0x1A] == b"\xfe\xfe\x6e\xff\xff\xf7\xff\xfe\x20"
    assert (content[0x0F], content[0x1E] & 0xF8, content[0x3A], content[0x63]) == (0x6C, 0, 0, 0)
    assert content[0x73:0x76] == b"\xff\xff\xff"


def test_addresses_go_up_only_with_if_inc():
    chip, _ = powered()
    chip.write(0x10, b"\x34\x38")
    assert chip.read(0x10, 2) == b"\x34\x38"
    chip.write(0x12, b"\x00")
    assert chip.read(0x10, 2) == b"\x34\x34"


def test_software_reset_takes_50_us_and_brings_reset_values():
    chip, clock = awake()
    chip.write(0x12, b"\x05")
    assert chip.read(0x12, 1) == b"\x05"
    chip.write(0x10, b"\x30")
    clock.sleep_ns(50_000)
    assert chip.read(0x12, 1) == b"\x04"
    assert chip.read(0x09, 9) == b"\x00\x00\x00\x00\x00\x00\x6c\x00\x00"


def test_bank_of_embedded_functions_hides_the_registers():
    chip, _ = awake()
    chip.write(0x01, b"\x80")
    assert chip.read(0x0F, 4) == bytes(4)
    chip.write(0x10, b"\x00")
    chip.write(0x01, b"\x00")
    assert chip.read(0x0F, 2) == b"\x6c\x3c"


@pytest.mark.parametrize("code", range(1, 11))
def test_sample_period(code):
    chip, clock = awake(bdr=code * 0x11)
    chip.write(0x10, b"\x00\x00")
    chip.write(0x10, bytes((code << 4, code << 4)))
    period_ns = 1e9 * 2 ** (10 - code) / 6667
    chip.write(0x0A, b"\x00")
    chip.write(0x0A, b"\x06")
    clock.sleep_ns(round(9 * period_ns) - 1000)
    assert level(chip) == 16
    clock.sleep_ns(2000)
    assert level(chip) == 18


@pytest.mark.parametrize(
    ("rate_error", "fine"), [(0.0, 0x00), (0.0015, 0x01), (-0.0015, 0xFF), (0.05, 0x21), (0.5, 0x7F)]
)
def test_fine_frequency_is_that_of_the_factory_trim(rate_error, fine):
    chip, _ = awake(rate_error=rate_error)
    assert chip.read(0x63, 1) == bytes((fine,))
    assert chip.true_period_ns == pytest.approx(PERIOD_NS / (1 + rate_error), abs=1)
    chip.detune(0.02)
    assert chip.read(0x63, 1) == bytes((fine,))
    chip.power_cycle()
    assert chip.read(0x63, 1) == bytes((fine,))


def test_words_are_gyroscope_then_accelerometer_with_tag_slot_and_even_parity():
    chip, clock = awake(ConstantSource([ACC_SI, 2 * ACC_SI, -3 * ACC_SI, 4 * GYRO_SI, 5 * GYRO_SI, -6 * GYRO_SI]))
    clock.sleep_ns(5 * PERIOD_NS)
    assert level(chip) == 10
    tags, counts = read_words(chip, 10)
    cycle = [0x09, 0x11, 0x0A, 0x12, 0x0C, 0x14, 0x0F, 0x17]
    start = cycle.index(tags[0])
    assert tags == (cycle * 3)[start : start + 10]
    assert counts.tolist() == [[4, 5, -6], [1, 2, -3]] * 5


def test_empty_fifo_reads_as_zeros_and_a_word_leaves_with_its_last_byte():
    chip, clock = awake()
    clock.sleep_ns(PERIOD_NS)
    word = chip.read(0x78, 6)
    assert level(chip) == 2
    assert chip.read(0x78, 7)[:6] == word
    assert level(chip) == 1
    assert len(chip.read(0x79, 6)) == 6
    assert level(chip) == 0
    assert chip.read(0x78, 14) == bytes(14)


def test_reading_goes_on_from_the_last_fifo_register_to_the_first():
    once, clock = awake()
    clock.sleep_ns(3 * PERIOD_NS)
    twin, twin_clock = awake()
    twin_clock.sleep_ns(3 * PERIOD_NS)
    assert once.read(0x7A, 5 + 7 + 3) == twin.read(0x78, 17)[2:]


def test_continuous_mode_keeps_the_newest_512_words_and_latches_the_overrun():
    chip, clock = awake()
    clock.sleep_ns(255 * PERIOD_NS)
    assert (level(chip), flags(chip)) == (510, 0x20)
    clock.sleep_ns(PERIOD_NS)
    assert (level(chip), chip.read(0x3B, 1)[0]) == (512, 0x62)
    clock.sleep_ns(PERIOD_NS)
    assert chip.read(0x3B, 1)[0] == 0x6A
    assert chip.read(0x3B, 1)[0] == 0x62
    chip.read(0x78, 14)
    assert flags(chip) == 0x20
    clock.sleep_ns(1000 * PERIOD_NS)
    _, counts = read_words(chip, 512)
    times = counted_times((np.hstack([counts[1::2], counts[::2]]) * ([ACC_SI] * 3 + [GYRO_SI] * 3)).astype(np.float32))
    assert times.tolist() == [round(PERIOD_NS * number) for number in range(1257 - 256, 1257)]


@pytest.mark.parametrize("samples", [256, 257, 600, 100_000])
def test_fifo_mode_keeps_the_oldest_512_words(samples):
    chip, clock = awake(mode=0x01)
    clock.sleep_ns(samples * PERIOD_NS)
    assert (flags(chip), level(chip)) == (0x68, 512)
    _, counts = read_words(chip, 2)
    times = counted_times((np.hstack([counts[1:], counts[:1]]) * ([ACC_SI] * 3 + [GYRO_SI] * 3)).astype(np.float32))
    assert times.tolist() == [0]
    assert level(chip) == 510


@pytest.mark.parametrize("mode", [0x00, 0x02, 0x04, 0x05, 0x07])
def test_bypass_and_modes_that_wait_for_an_event_stay_empty(mode):
    chip, clock = awake()
    clock.sleep_ns(5 * PERIOD_NS)
    chip.write(0x0A, bytes((mode,)))
    assert level(chip) == 0
    clock.sleep_ns(5 * PERIOD_NS)
    assert (level(chip), flags(chip)) == (0, 0)


def test_watermark_and_depth_limited_to_it():
    chip, clock = awake()
    chip.write(0x07, b"\x0a\x00")
    clock.sleep_ns(4 * PERIOD_NS)
    assert flags(chip) == 0x00
    clock.sleep_ns(PERIOD_NS)
    assert flags(chip) == 0x80
    chip.write(0x08, b"\x80")
    clock.sleep_ns(3 * PERIOD_NS)
    assert level(chip) == 10
    chip.write(0x08, b"\x81")
    clock.sleep_ns(1000 * PERIOD_NS)
    assert level(chip) == 0x10A


@pytest.mark.parametrize(
    ("bdr", "expected"), [(0x30, [1] * 8), (0x03, [2] * 8), (0x32, [1, 2, 1] * 2), (0x13, [2, 1, 2, 2, 2])]
)
def test_sensors_are_batched_at_rates_of_their_own(bdr, expected):
    chip, clock = awake(bdr=bdr)
    clock.sleep_ns(16 * PERIOD_NS)
    tags, _ = read_words(chip, level(chip))
    sensors = [tag >> 3 for tag in tags]
    joined = "".join(map(str, sensors))
    assert "".join(map(str, expected)) in joined + joined


def test_slots_count_at_the_faster_batch_rate_and_are_shared():
    chip, clock = awake(bdr=0x12)
    clock.sleep_ns(64 * PERIOD_NS)
    tags, _ = read_words(chip, level(chip))
    slots = [tag >> 1 & 3 for tag in tags]
    steps = [(after - before) % 4 for before, after in pairwise(slots)]
    assert sorted(set(steps)) == [0, 1]
    assert all((tags[i] >> 3, tags[i + 1] >> 3) == (1, 2) for i, step in enumerate(steps) if step == 0)
    assert len(tags) == 32 + 16


def test_status_reports_new_data_until_the_high_byte_is_read():
    chip, clock = awake()
    clock.sleep_ns(PERIOD_NS)
    assert chip.read(0x1E, 1) == b"\x07"
    chip.read(0x22, 1)
    assert chip.read(0x1E, 1) == b"\x07"
    chip.read(0x22, 6)
    assert chip.read(0x1E, 1) == b"\x05"
    chip.read(0x2D, 1)
    chip.read(0x20, 2)
    assert chip.read(0x1E, 1) == b"\x00"
    clock.sleep_ns(PERIOD_NS)
    assert chip.read(0x1E, 1) == b"\x07"


def test_the_output_of_a_slower_sensor_stays_until_its_next_sample():
    chip, clock = awake(RampSource(gyroscope=True))
    # The gyroscope at 104 Hz, the accelerometer at 26 Hz.
    for register, value in ((0x11, 0x48), (0x10, 0x20)):
        chip.write(register, bytes((value,)))
    clock.sleep_ns(400 * MS)
    chip.read(0x22, 12)
    shown = []
    for _ in range(12):
        clock.sleep_ns(chip.true_period_ns)
        shown.append(np.frombuffer(chip.read(0x22, 12), "<i2")[[0, 3]].tolist())
    gyro, acc = zip(*shown, strict=True)
    assert acc == (*[384] * 3, *[423] * 4, *[461] * 4, 499)
    assert (np.diff(gyro) > 0).all()


@pytest.mark.parametrize(("celsius", "expected"), [(25, b"\x00\x00"), (26, b"\x00\x01"), (-15.5, b"\x80\xd7")])
def test_temperature_is_256_a_degree_from_25_on(celsius, expected):
    chip, clock = awake(temperature_c=celsius)
    clock.sleep_ns(PERIOD_NS)
    assert chip.read(0x20, 2) == expected


@pytest.mark.parametrize(
    ("ctrl1_xl", "ctrl8_xl", "mg"),
    [(0x30, 0, 0.061), (0x38, 0, 0.122), (0x3C, 0, 0.244), (0x34, 0, 0.488), (0x34, 2, 0.061)],
)
def test_accelerometer_sensitivity(ctrl1_xl, ctrl8_xl, mg):
    chip, clock = awake(ConstantSource([G, -G, 0.5 * G, 0, 0, 0]))
    chip.write(0x17, bytes((ctrl8_xl,)))
    chip.write(0x10, bytes((ctrl1_xl,)))
    clock.sleep_ns(3 * PERIOD_NS)
    counts = np.frombuffer(chip.read(0x28, 6), "<i2")
    assert counts.tolist() == [round(1000 / mg), -round(1000 / mg), round(500 / mg)]


@pytest.mark.parametrize(("ctrl2_g", "mdps"), [(0x32, 4.375), (0x30, 8.75), (0x34, 17.5), (0x38, 35), (0x3C, 70)])
def test_gyroscope_sensitivity(ctrl2_g, mdps):
    chip, clock = awake(ConstantSource([0, 0, 0, *np.deg2rad([100, -100, 12.25])]))
    chip.write(0x11, bytes((ctrl2_g,)))
    clock.sleep_ns(3 * PERIOD_NS)
    counts = np.frombuffer(chip.read(0x22, 6), "<i2")
    assert counts.tolist() == [round(100_000 / mdps), -round(100_000 / mdps), round(12_250 / mdps)]


def test_counts_saturate():
    chip, clock = awake(ConstantSource([100 * G, -100 * G, 0, 100, -100, 0]))
    clock.sleep_ns(PERIOD_NS)
    assert np.frombuffer(chip.read(0x22, 12), "<i2").tolist() == [32767, -32768, 0, 32767, -32768, 0]


@pytest.mark.parametrize(
    ("self_test", "acc_mg", "gyro_dps"),
    [
        (0x01, (50, 1700), (0, 0)),
        (0x02, (-1700, -50), (0, 0)),
        (0x04, (0, 0), (150, 700)),
        (0x0C, (0, 0), (-700, -150)),
    ],
)
def test_self_test_moves_the_output_within_the_limits(self_test, acc_mg, gyro_dps):
    chip, clock = awake(ConstantSource([0] * 6))
    chip.write(0x11, b"\x3c")
    chip.write(0x14, bytes((self_test,)))
    clock.sleep_ns(PERIOD_NS)
    counts = np.frombuffer(chip.read(0x22, 12), "<i2")
    assert (counts[:3] * 0.07 >= gyro_dps[0]).all()
    assert (counts[:3] * 0.07 <= gyro_dps[1]).all()
    assert (counts[3:] * 0.244 >= acc_mg[0]).all()
    assert (counts[3:] * 0.244 <= acc_mg[1]).all()


def test_user_offsets_are_subtracted_once_enabled():
    chip, clock = awake(ConstantSource([0] * 6))
    chip.write(0x73, b"\x40\xc0\x20")
    clock.sleep_ns(PERIOD_NS)
    assert chip.read(0x28, 6) == bytes(6)
    chip.write(0x16, b"\x02")
    clock.sleep_ns(PERIOD_NS)
    expected = [-round(64 / 1024 / 0.244e-3), round(64 / 1024 / 0.244e-3), -round(32 / 1024 / 0.244e-3)]
    assert np.frombuffer(chip.read(0x28, 6), "<i2").tolist() == expected


@pytest.mark.parametrize(("drdy_mask", "filling"), [(0x00, 0), (0x08, 0x7FFF)])
def test_gyroscope_needs_70_ms_and_three_samples(drdy_mask, filling):
    chip, clock = powered(ConstantSource([1, 1, 1, 1, 1, 1]))
    for register, value in ((0x13, drdy_mask), (0x09, 0x33), (0x10, 0x3C), (0x11, 0x38), (0x0A, 0x06)):
        chip.write(register, bytes((value,)))
    clock.sleep_ns(10 * PERIOD_NS)
    _, counts = read_words(chip, 20)
    gyro, acc = counts[::2, 0].tolist(), counts[1::2, 0].tolist()
    # 70 ms are 3.6 periods.
    assert gyro == [filling] * 6 + [round(np.rad2deg(1) / 0.035)] * 4
    assert acc == [filling] * 2 + [round(1 / ACC_SI)] * 8


@pytest.mark.parametrize(("register", "value"), [(0x11, 0x08), (0x13, 0x40)])
def test_gyroscope_powered_down_or_asleep_leaves_the_accelerometer_alone_in_the_fifo(register, value):
    chip, clock = awake()
    chip.write(register, bytes((value,)))
    chip.write(0x0A, b"\x00")
    chip.write(0x0A, b"\x06")
    clock.sleep_ns(4 * PERIOD_NS)
    tags, _ = read_words(chip, level(chip))
    assert [tag >> 3 for tag in tags] == [2, 2, 2, 2]


def test_power_cycle_resets_everything():
    chip, clock = awake()
    clock.sleep_ns(10 * PERIOD_NS)
    chip.power_cycle()
    taken = chip.samples_taken
    assert taken == 10
    assert (level(chip), chip.read(0x10, 2), chip.read(0x0A, 1)) == (0, b"\0\0", b"\0")
    clock.sleep_ns(10 * PERIOD_NS)
    assert chip.samples_taken == taken


class Lsm6dsoxFifoMachine(RuleBasedStateMachine):
    """Any legal use: the count stays within the depth, words are whole, tags go on, parity is right."""

    def __init__(self):
        super().__init__()
        self.chip, self.clock = awake()
        self.depth = 512
        self.slot = None
        self.overwritten = False
        self.stops = False

    def forget(self):
        self.slot = None

    @rule(samples=st.one_of(st.floats(0, 40), st.floats(0, 700)))
    def wait(self, samples):
        before = level(self.chip)
        self.clock.sleep_ns(round(samples * PERIOD_NS))
        self.overwritten |= before + 2 * (samples + 1) > self.depth

    @rule(count=st.integers(1, 300))
    def read_words(self, count):
        count = min(count, level(self.chip))
        tags, counts = read_words(self.chip, count)
        if self.overwritten:
            self.forget()
            # What did not fit into a FIFO that stops is missing somewhere behind what it holds.
            self.overwritten = self.stops
        for tag, (x, y, z) in zip(tags, counts.tolist(), strict=True):
            assert tag.bit_count() % 2 == 0
            sensor, slot = tag >> 3, tag >> 1 & 3
            expected = self.slot and (2, self.slot[1]) if self.slot and self.slot[0] == 1 else None
            if self.slot is not None and self.slot[0] == 2:
                expected = (1, (self.slot[1] + 1) % 4)
            assert self.overwritten or expected in (None, (sensor, slot))
            self.slot = (sensor, slot)
            assert (x, y, z) != (0, 0, 0)

    @rule(length=st.integers(1, 6))
    def read_a_part(self, length):
        before = level(self.chip)
        self.chip.read(0x78, length)
        assert level(self.chip) == before

    @rule(register=st.integers(0x10, 0x3B), length=st.integers(1, 12))
    def read_elsewhere(self, register, length):
        self.chip.read(register, length)

    @rule(register=st.sampled_from([0x00, 0x0F, 0x1E, 0x28, 0x3A, 0x3B, 0x63, 0x78, 0x7E]), value=st.integers(0, 255))
    def write_elsewhere(self, register, value):
        self.chip.write(register, bytes((value,)))

    @rule(watermark=st.integers(1, 511))
    def limit_the_depth(self, watermark):
        self.chip.write(0x07, bytes((watermark & 0xFF, 0x80 | watermark >> 8)))
        self.depth = watermark
        self.begin_anew(0x06)

    @precondition(lambda self: self.depth < 512)
    @rule()
    def lift_the_limit(self):
        self.chip.write(0x07, b"\x00\x00")
        self.depth = 512
        self.begin_anew(0x06)

    @rule(mode=st.sampled_from([0x06, 0x01]))
    def begin_anew(self, mode):
        self.chip.write(0x0A, b"\x00")
        assert level(self.chip) == 0
        self.chip.write(0x0A, bytes((mode,)))
        self.overwritten, self.stops = False, mode == 0x01
        self.forget()

    @rule()
    def reset(self):
        self.chip.write(0x12, b"\x05")
        assert level(self.chip) == 0
        self.clock.sleep_ns(MS)
        for register, value in ((0x12, 0x44), (0x09, 0x33), (0x10, 0x3C), (0x11, 0x38)):
            self.chip.write(register, bytes((value,)))
        self.clock.sleep_ns(200 * MS)
        self.chip.write(0x0A, b"\x06")
        self.depth, self.overwritten, self.stops = 512, False, False
        self.forget()

    @invariant()
    def count_is_within_the_depth(self):
        assert 0 <= level(self.chip) <= self.depth


Lsm6dsoxFifoMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestFifoMachine = Lsm6dsoxFifoMachine.TestCase
