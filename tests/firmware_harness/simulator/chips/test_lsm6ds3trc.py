"""The simulated chip against literal figures of the datasheet DocID030071 rev 3 and application note AN5130."""

import numpy as np
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from deseptr.firmware_harness.simulator import (
    ConstantSource,
    CountingSource,
    SimulatedLsm6ds3trc,
    VirtualClock,
    counted_times,
)

MS = 1_000_000
G = 9.80665
PERIOD_NS = round(1e9 / 52)
SCALES = np.array([0.244e-3 * G] * 3 + [np.deg2rad(0.035)] * 3)


def powered(source=None, **options):
    clock = VirtualClock()
    chip = SimulatedLsm6ds3trc(source or CountingSource(), clock, **options)
    clock.sleep_ns(15 * MS)
    return chip, clock


def awake(source=None, decimation=0x09, mode=0x1E, **options):
    """52 Hz, ±8 g, ±1000 deg/s, everything in the FIFO, settled."""
    chip, clock = powered(source, **options)
    for register, value in ((0x12, 0x44), (0x08, decimation), (0x10, 0x3C), (0x11, 0x38)):
        chip.write(register, bytes((value,)))
    clock.sleep_ns(200 * MS)
    chip.write(0x0A, bytes((mode,)))
    return chip, clock


def level(chip):
    low, high = chip.read(0x3A, 2)
    return (high & 7) << 8 | low


def flags(chip):
    return chip.read(0x3B, 1)[0] & 0xF8


def pattern(chip):
    low, high = chip.read(0x3C, 2)
    return high << 8 | low


def read_times(chip, datums):
    """Times of the source of whole datums."""
    counts = np.frombuffer(chip.read(0x3E, 12 * datums), "<i2").reshape(-1, 6)
    return counted_times((counts[:, [3, 4, 5, 0, 1, 2]] * SCALES).astype(np.float32)).tolist()


def test_reset_values():
    chip, _ = powered()
    content = chip.read(0x00, 0x3A) + bytes(4) + chip.read(0x40, 0x40)
    expected = {0x0F: 0x6A, 0x12: 0x04, 0x18: 0xE0}
    assert {register: value for register, value in enumerate(content) if value} == expected
    assert chip.read(0x3A, 4) == b"\x00\x10\x00\x00"


def test_reserved_bits_and_read_only_registers_ignore_writes():
    chip, _ = powered()
    for register in range(0x04, 0x78):
        if register != 0x12:
            chip.write(register, b"\xff")
    content = chip.read(0x00, 0x20)
    assert content[0x04:0x0F] == b"\x0f\x03\xff\xcf\x3f\xff\x7f\x81\x00\xff\xff"
    assert content[0x10:0x12] + content[0x13:0x1B] == b"\xff\xfe\xfe\xff\xfb\xf4\xfd\xf4\xbf\xdf"
    assert (content[0x0F], content[0x1E] & 0xF8) == (0x6A, 0)
    assert chip.read(0x73, 3) == b"\xff\xff\xff"


def test_software_reset():
    chip, clock = awake()
    chip.write(0x12, b"\x05")
    clock.sleep_ns(50_000)
    assert chip.read(0x12, 1) == b"\x04"
    assert chip.read(0x06, 5) + chip.read(0x10, 2) == bytes(7)


@pytest.mark.parametrize(("code", "rate_hz"), list(enumerate((12.5, 26, 52, 104, 208, 416, 833, 1666, 3332, 6664), 1)))
def test_sample_period(code, rate_hz):
    chip, clock = awake()
    chip.write(0x10, b"\x00\x00")
    chip.write(0x10, bytes((code << 4, code << 4)))
    chip.write(0x0A, b"\x00")
    chip.write(0x0A, bytes((code << 3 | 6,)))
    clock.sleep_ns(round(9e9 / rate_hz) - 1000)
    assert level(chip) == 48
    clock.sleep_ns(2000)
    assert level(chip) == 54


def test_words_are_gyroscope_then_accelerometer_and_the_pattern_names_the_next():
    signal = np.array([1, 2, -3, 4, 5, -6]) * SCALES
    chip, clock = awake(ConstantSource(signal))
    clock.sleep_ns(3 * PERIOD_NS)
    chip.read(0x3E, 12)
    for expected in (0, 1, 2, 3, 4, 5, 0):
        assert pattern(chip) == expected
        word = int.from_bytes(chip.read(0x3E, 2), "little", signed=True)
        assert word == [4, 5, -6, 1, 2, -3][expected]


def test_a_word_leaves_with_its_high_byte_and_an_empty_fifo_repeats_its_last():
    chip, clock = awake()
    clock.sleep_ns(PERIOD_NS)
    assert level(chip) == 6
    chip.read(0x3E, 1)
    assert level(chip) == 6
    chip.read(0x3F, 1)
    assert (level(chip), flags(chip), pattern(chip)) == (5, 0x00, 1)
    last = chip.read(0x3E, 10)[-2:]
    assert (level(chip), flags(chip), pattern(chip)) == (0, 0x10, 0)
    assert chip.read(0x3E, 4) == last * 2


def test_status_and_data_in_one_read():
    chip, clock = awake()
    clock.sleep_ns(2 * PERIOD_NS)
    twin, twin_clock = awake()
    twin_clock.sleep_ns(2 * PERIOD_NS)
    assert chip.read(0x3A, 4 + 24) == b"\x0c\x00\x00\x00" + twin.read(0x3E, 24)


def test_first_datum_after_a_change_of_mode_is_stale_and_not_reported():
    runs = []
    chip, clock = awake(on_samples=runs.append)
    clock.sleep_ns(4 * PERIOD_NS)
    assert read_times(chip, 4)[1:] == [0, PERIOD_NS, 2 * PERIOD_NS]
    assert [(run.index, run.count) for run in runs] == [(0, 3)]
    chip.write(0x0A, b"\x00")
    chip.write(0x0A, b"\x1e")
    clock.sleep_ns(2 * PERIOD_NS)
    # The datum before it, once more: at 3 periods it was in the FIFO last.
    assert read_times(chip, 2) == [2 * PERIOD_NS, 4 * PERIOD_NS]


def test_continuous_mode_overwrites_words_and_counts_zero_while_it_does():
    """Table 64 of AN5130, with two sensors."""
    chip, clock = awake()
    clock.sleep_ns(340 * PERIOD_NS)
    assert (level(chip), flags(chip)) == (2040, 0x00)
    clock.sleep_ns(PERIOD_NS)
    assert (level(chip), flags(chip)) == (2046, 0x20)
    clock.sleep_ns(PERIOD_NS)
    assert (level(chip), flags(chip), pattern(chip)) == (0, 0x60, 4)
    chip.read(0x3E, 4)
    assert (level(chip), flags(chip), pattern(chip)) == (2046, 0x20, 0)


@pytest.mark.parametrize("sets", [681, 682])
def test_one_sensor_as_in_table_64(sets):
    chip, clock = awake(decimation=0x01)
    clock.sleep_ns(sets * PERIOD_NS)
    assert (level(chip), flags(chip)) == {681: (2043, 0x00), 682: (2046, 0x20)}[sets]
    clock.sleep_ns((683 - sets) * PERIOD_NS)
    assert (level(chip), flags(chip), pattern(chip)) == (0, 0x60, 1)


def test_long_stretch_gives_the_same_as_short_ones():
    long, clock = awake()
    clock.sleep_ns(5000 * PERIOD_NS)
    short, short_clock = awake()
    for _ in range(5000):
        short_clock.sleep_ns(PERIOD_NS)
        short.read(0x0F, 1)
    assert long.read(0x3A, 4) == short.read(0x3A, 4)
    assert long.read(0x3E, 4096) == short.read(0x3E, 4096)


@pytest.mark.parametrize(("decimation", "words"), [(0x09, 2046), (0x01, 2046), (0x08, 2046)])
@pytest.mark.parametrize("samples", [700, 100_000])
def test_fifo_mode_stops_before_the_set_that_would_fill_it(decimation, words, samples):
    chip, clock = awake(decimation=decimation, mode=0x19)
    clock.sleep_ns(samples * PERIOD_NS)
    assert (level(chip), flags(chip), pattern(chip)) == (words, 0x20, 0)
    if decimation == 0x09:
        assert read_times(chip, 3)[1:] == [0, PERIOD_NS]


@pytest.mark.parametrize("mode", [0x00, 0x06, 0x18, 0x1A, 0x1C, 0x1D, 0x1F])
def test_bypass_no_fifo_rate_and_modes_that_wait_for_an_event_stay_empty(mode):
    chip, clock = awake()
    clock.sleep_ns(5 * PERIOD_NS)
    chip.write(0x0A, bytes((mode,)))
    clock.sleep_ns(5 * PERIOD_NS)
    assert (level(chip), flags(chip)) == (0, 0x10)


def test_watermark_and_depth_limited_to_it():
    """FTH = 21 as in AN5130, figures 33 and 34."""
    chip, clock = awake(decimation=0x01)
    chip.write(0x06, b"\x15")
    clock.sleep_ns(6 * PERIOD_NS)
    assert (level(chip), flags(chip)) == (18, 0x00)
    clock.sleep_ns(PERIOD_NS)
    assert (level(chip), flags(chip)) == (21, 0x80)
    chip.write(0x0A, b"\x00")
    chip.write(0x09, b"\x80")
    chip.write(0x0A, b"\x19")
    clock.sleep_ns(100 * PERIOD_NS)
    assert (level(chip), flags(chip)) == (18, 0x20)


def test_example_2_of_the_application_note():
    """Gyroscope 208 Hz, accelerometer 104 Hz: Gx Gy Gz XLx XLy XLz Gx Gy Gz."""
    chip, clock = powered(ConstantSource(np.array([1, 2, 3, 4, 5, 6]) * SCALES))
    for register, value in ((0x12, 0x44), (0x08, 0x0A), (0x10, 0x4C), (0x11, 0x58)):
        chip.write(register, bytes((value,)))
    clock.sleep_ns(200 * MS)
    chip.write(0x0A, b"\x2e")
    clock.sleep_ns(round(5.2e9 / 208))
    assert level(chip) == 6 + 3 + 6 + 3 + 6
    chip.read(0x3E, 18)
    found = [(pattern(chip), int.from_bytes(chip.read(0x3E, 2), "little")) for _ in range(10)]
    assert found == [*enumerate([4, 5, 6, 1, 2, 3, 4, 5, 6]), (0, 4)]


def test_fifo_rate_below_the_sensors_decimates():
    chip, clock = awake(mode=0x16)
    clock.sleep_ns(8 * PERIOD_NS)
    assert level(chip) == 4 * 6


@pytest.mark.parametrize(
    ("mg", "registers"), [(0, 0x0000), (350, 0x1669), (1000, 0x4009), (-350, 0xE997), (-1000, 0xBFF7)]
)
def test_output_of_the_accelerometer_as_in_table_17(mg, registers):
    """The note's figures are cut off, the chip's rounded: they may differ by one."""
    chip, clock = awake(ConstantSource([mg * G / 1000, 0, 0, 0, 0, 0]))
    chip.write(0x10, b"\x30")
    clock.sleep_ns(3 * PERIOD_NS)
    little = chip.read(0x28, 2)
    difference = int.from_bytes(little, "little") - registers
    assert abs(difference) <= 1
    chip.write(0x12, b"\x46")
    assert chip.read(0x28, 2) == little[::-1]


@pytest.mark.parametrize(("dps", "registers"), [(100, 0x2CA4), (200, 0x5949), (-100, 0xD35C), (-200, 0xA6B7)])
def test_output_of_the_gyroscope_as_in_table_18(dps, registers):
    chip, clock = awake(ConstantSource([0, 0, 0, np.deg2rad(dps), 0, 0]))
    chip.write(0x11, b"\x30")
    clock.sleep_ns(3 * PERIOD_NS)
    assert abs(int.from_bytes(chip.read(0x22, 2), "little") - registers) <= 1


def test_user_offsets_are_added_to_x_and_y_and_subtracted_from_z():
    chip, clock = awake(ConstantSource([0] * 6))
    chip.write(0x73, b"\x40\xc0\x20")
    clock.sleep_ns(PERIOD_NS)
    found = np.frombuffer(chip.read(0x28, 6), "<i2").tolist()
    assert found == [256, -256, -128]
    chip.write(0x15, b"\x08")
    clock.sleep_ns(PERIOD_NS)
    assert np.frombuffer(chip.read(0x28, 6), "<i2").tolist() == [4098, -4098, -2049]


def test_samples_until_the_gyroscope_has_settled():
    chip, clock = powered(ConstantSource([1] * 6))
    for register, value in ((0x12, 0x44), (0x08, 0x09), (0x10, 0x3C), (0x11, 0x38), (0x0A, 0x1E)):
        chip.write(register, bytes((value,)))
    clock.sleep_ns(10 * PERIOD_NS)
    counts = np.frombuffer(chip.read(0x3E, 120), "<i2").reshape(-1, 6)
    assert [bool(value) for value in counts[:, 0]] == [False] * 6 + [True] * 4
    assert [bool(value) for value in counts[:, 3]] == [False] * 2 + [True] * 8


class Lsm6ds3trcFifoMachine(RuleBasedStateMachine):
    """Any legal use keeps count, order and pattern of the FIFO; a plain model has the expected content."""

    def __init__(self):
        super().__init__()
        self.runs = []
        self.chip, self.clock = awake(on_samples=self.runs.append)
        self.expected = []
        self.overrun = False
        self.begin()

    def begin(self):
        self.stale = True
        self.expected, self.gone = [], 0

    def catch_up(self):
        """Add the words that the chip reports as written to its FIFO, as numbers sample * 6 + word."""
        self.chip.read(0x0F, 1)
        for run in self.runs:
            if self.stale:
                self.expected += [-1] * 6
                self.stale = False
            for sample in range(run.index, run.index + run.count):
                self.expected += range(sample * 6, sample * 6 + 6)
                self.overrun = len(self.expected) > 2048
                self.gone += max(0, len(self.expected) - 2048)
                self.expected = self.expected[-2048:]
        self.runs.clear()

    @rule(samples=st.one_of(st.integers(0, 40), st.integers(300, 500)))
    def wait(self, samples):
        self.clock.sleep_ns(samples * PERIOD_NS)
        if samples and self.stale:
            self.catch_up_stale(samples)
        self.catch_up()

    def catch_up_stale(self, samples):
        if samples == 1:
            self.chip.read(0x0F, 1)
            self.expected, self.stale = [-1] * 6, False

    @rule(words=st.integers(1, 2048))
    def read_fifo(self, words):
        words = min(words, len(self.expected))
        data = self.chip.read(0x3E, 2 * words)
        held, self.expected = self.expected[:words], self.expected[words:]
        self.gone += words
        self.overrun = self.overrun and words == 0
        if held:
            self.check(held, np.frombuffer(data, "<i2"))

    def check(self, held, found):
        for start, word in enumerate(held):
            if word >= 0 and word % 6 == 0 and start + 6 <= len(held):
                datum = (found[start : start + 6][[3, 4, 5, 0, 1, 2]] * SCALES).astype(np.float32)
                assert counted_times(datum[None])[0] >= 0

    @rule(byte=st.sampled_from([0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x1E, 0x22, 0x28]))
    def read_elsewhere(self, byte):
        self.chip.read(byte, 1)

    @rule(register=st.sampled_from([0x00, 0x0C, 0x0F, 0x1E, 0x28, 0x3A, 0x3E, 0x3F]), value=st.integers(0, 255))
    def write_elsewhere(self, register, value):
        self.chip.write(register, bytes((value,)))

    @rule()
    def begin_anew(self):
        self.chip.write(0x0A, b"\x00")
        self.chip.write(0x0A, b"\x1e")
        self.runs.clear()
        self.overrun = False
        self.begin()

    @invariant()
    def status_is_right(self):
        assert level(self.chip) == len(self.expected) % 2048
        assert pattern(self.chip) == self.gone % 6
        full = len(self.expected) + 6 >= 2048
        assert flags(self.chip) == 0x40 * self.overrun | 0x20 * full | 0x10 * (not self.expected)


Lsm6ds3trcFifoMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestFifoMachine = Lsm6ds3trcFifoMachine.TestCase
