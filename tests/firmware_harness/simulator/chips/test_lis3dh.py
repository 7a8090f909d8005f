"""The simulated LIS3DH against its datasheet and application note: figures here are the documents', as numbers."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deseptr.firmware_harness.simulator import CoarseCountingSource, ConstantSource, VirtualClock
from deseptr.firmware_harness.simulator.chips.lis3dh import SimulatedLis3dh

G = 9.80665
MS = 1_000_000
CTRL1, CTRL4, CTRL5, STATUS, OUT, FIFO_CTRL, FIFO_SRC, MANY = 0x20, 0x23, 0x24, 0x27, 0x28, 0x2E, 0x2F, 0x80
BYPASS, FIFO, STREAM = 0x00, 0x40, 0x80


def measuring(source=None, *, control1=0x57, control4=0xA0, control5=0x40, fifo=BYPASS, **options):
    clock = VirtualClock()
    chip = SimulatedLis3dh(source or ConstantSource([G, -G / 2, 3 * G, 0, 0, 0]), clock, **options)
    for register, value in ((CTRL4, control4), (CTRL5, control5), (FIFO_CTRL, fifo), (CTRL1, control1)):
        chip.write(register, bytes((value,)))
    return chip, clock


def words(data):
    return np.frombuffer(data, "<i2").tolist()


def one(chip, register):
    return chip.read(register, 1)[0]


def times_of(source, data):
    """Times in ms of samples at ±8 g in normal mode: 16 mg a digit of 10 bits."""
    digits = np.frombuffer(data, "<i2").reshape(-1, 3) >> 6
    return (source.times_of((digits * 0.016 * G).astype(np.float32)) / MS).round().tolist()


def test_reset_values_and_identity():
    chip = SimulatedLis3dh(ConstantSource(np.zeros(6)), VirtualClock())
    expected = {0x0F: 0x33, 0x1E: 0x10, CTRL1: 0x07, FIFO_SRC: 0x20}
    assert {register: one(chip, register) for register in range(0x40)} == {
        register: expected.get(register, 0) for register in range(0x40)
    }


@pytest.mark.parametrize(
    ("control1", "hz"),
    [(0x17, 1), (0x27, 10), (0x37, 25), (0x47, 50), (0x57, 100), (0x77, 400), (0x97, 1344), (0x9F, 5376), (0x8F, 1600)],
)
def test_rate(control1, hz):
    chip, _ = measuring(control1=control1)
    assert 1e9 / chip.period_ns == pytest.approx(hz, rel=1e-4)


@pytest.mark.parametrize(
    ("control1", "control4", "expected"),
    [
        (0x57, 0x80, [250 << 6, -125 << 6, 511 << 6]),  # normal mode, 2 g: 4 mg, 10 bits
        (0x57, 0x90, [125 << 6, -62 << 6, 375 << 6]),
        (0x57, 0xA0, [62 << 6, -31 << 6, 188 << 6]),
        (0x57, 0xB0, [21 << 6, -10 << 6, 62 << 6]),  # 16 g: 48 mg
        (0x57, 0x88, [1000 << 4, -500 << 4, 2047 << 4]),  # high resolution: 1 mg, 12 bits
        (0x57, 0xB8, [83 << 4, -42 << 4, 250 << 4]),
        (0x5F, 0x80, [62 << 8, -31 << 8, 127 << 8]),  # low power: 16 mg, 8 bits
        (0x53, 0x80, [250 << 6, -125 << 6, 0]),  # z off
    ],
)
def test_operating_modes_and_full_scales(control1, control4, expected):
    chip, clock = measuring(control1=control1, control4=control4)
    clock.sleep_ns(50 * MS)
    assert words(chip.read(OUT | MANY, 6)) == expected


@pytest.mark.parametrize(("bits", "sign"), [(0x00, 0), (0x02, 1), (0x04, -1), (0x06, 0)])
def test_self_test(bits, sign):
    source = ConstantSource(np.zeros(6))
    chip, clock = measuring(source, control4=0x80 | bits, self_test_g=(0.5, 0.25, 1.0))
    clock.sleep_ns(50 * MS)
    assert words(chip.read(OUT | MANY, 6)) == [sign * digits << 6 for digits in (125, 62, 250)]


def test_the_register_number_increments_only_with_its_bit_7():
    chip, _ = measuring()
    assert chip.read(CTRL4, 3) == bytes((0xA0,)) * 3
    assert chip.read(CTRL4 | MANY, 2) == bytes((0xA0, 0x40))
    chip.write(CTRL4 | MANY, b"\x80\x00")
    assert (one(chip, CTRL4), one(chip, CTRL5)) == (0x80, 0)
    chip.write(CTRL4, b"\x80\x90")
    assert (one(chip, CTRL4), one(chip, CTRL5)) == (0x90, 0)


def test_status_tells_new_data_and_what_was_overwritten():
    chip, clock = measuring()
    assert one(chip, STATUS) == 0
    clock.sleep_ns(12 * MS)
    assert one(chip, STATUS) == 0x0F
    clock.sleep_ns(10 * MS)
    assert one(chip, STATUS) == 0xFF
    one(chip, 0x2B)
    assert one(chip, STATUS) == 0x55
    chip.read(OUT | MANY, 6)
    assert one(chip, STATUS) == 0


def test_first_sample_comes_a_period_after_the_turn_on_time():
    chip, clock = measuring()
    clock.sleep_ns(11_500_000)
    assert one(chip, STATUS) == 0
    clock.sleep_ns(200_000)
    assert one(chip, STATUS) == 0x0F


def test_fifo_status_and_a_burst_over_several_samples():
    source = CoarseCountingSource()
    chip, clock = measuring(source, fifo=STREAM | 3)
    for count, status in ((0, 0x20), (1, 0x01), (3, 0x03), (4, 0x84), (31, 0x9F), (32, 0xDF), (40, 0xDF)):
        clock.sleep_ns(11_600_000 + 10 * MS * count + MS - clock.now_ns() - 10 * MS)
        assert one(chip, FIFO_SRC) == status
    # Of 40 samples, 10 ms apart, the newest 32.
    assert times_of(source, chip.read(OUT | MANY, 12)) == [80, 90]
    assert one(chip, FIFO_SRC) == 0x9E
    # Part of a sample leaves it there.
    chip.read(OUT | MANY, 3)
    assert one(chip, FIFO_SRC) == 0x9E
    assert times_of(source, chip.read(OUT | MANY, 180))[-1] == 390
    assert one(chip, FIFO_SRC) == 0x20
    assert times_of(source, chip.read(OUT | MANY, 6)) == [390]


def test_fifo_mode_keeps_the_oldest_and_bypass_empties_it():
    source = CoarseCountingSource()
    chip, clock = measuring(source, fifo=FIFO)
    clock.sleep_ns(500 * MS)
    assert one(chip, FIFO_SRC) == 0xDF
    assert times_of(source, chip.read(OUT | MANY, 6)) == [0]
    chip.write(FIFO_CTRL, bytes((BYPASS,)))
    assert one(chip, FIFO_SRC) == 0x20
    clock.sleep_ns(100 * MS)
    assert one(chip, FIFO_SRC) == 0x20


def test_without_fifo_en_nothing_enters_it():
    chip, clock = measuring(control5=0x00, fifo=STREAM)
    clock.sleep_ns(100 * MS)
    assert one(chip, FIFO_SRC) == 0x20
    assert words(chip.read(OUT | MANY, 6))[0] == 62 << 6


def test_boot_clears_itself_and_a_hung_chip_samples_again():
    chip, clock = measuring()
    chip.hang()
    clock.sleep_ns(100 * MS)
    assert one(chip, STATUS) == 0
    chip.write(CTRL5, b"\xc0")
    assert one(chip, CTRL5) == 0xC0
    clock.sleep_ns(5 * MS)
    assert one(chip, CTRL5) == 0x40
    clock.sleep_ns(20 * MS)
    assert one(chip, STATUS) & 0x0F == 0x0F


@given(st.integers(0, 0x7F), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_reserved_bits_keep_their_values(register, value):
    chip = SimulatedLis3dh(ConstantSource(np.zeros(6)), VirtualClock())
    chip.write(register, bytes((value,)))
    assert one(chip, 0x1E) & 0x7F == 0x10
    assert one(chip, 0x0F) == 0x33
    assert all(one(chip, each) & bits == 0 for each, bits in {0x22: 0x01, CTRL5: 0x30, 0x25: 0x05, 0x1F: 0x3F}.items())


class Lis3dhMachine(RuleBasedStateMachine):
    """Whatever is written and read in whatever order, the FIFO holds what its document says."""

    @initialize(rate_error=st.floats(-0.1, 0.1))
    def power_up(self, rate_error):
        self.clock, self.source, self.runs = VirtualClock(), CoarseCountingSource(), []
        self.chip = SimulatedLis3dh(self.source, self.clock, rate_error=rate_error, on_samples=self.runs.append)
        self.model, self.counted, self.known = deque(maxlen=32), 0, False

    def take(self):
        """Enter the samples that have come into a FIFO of 32 samples of its own."""
        one(self.chip, 0x0F)
        times = [time for run in self.runs for time in run.times_ns.tolist()]
        self.model.extend(time - self.chip.source_begun_ns for time in times[self.counted :])
        self.counted = len(times)

    @rule(code=st.integers(2, 6))
    def set_up(self, code):
        for register, value in ((CTRL1, 7), (CTRL4, 0xA0), (CTRL5, 0x40), (FIFO_CTRL, BYPASS), (FIFO_CTRL, STREAM)):
            self.chip.write(register, bytes((value,)))
        self.take()
        self.model.clear()
        self.chip.write(CTRL1, bytes((code << 4 | 7,)))
        self.known = True

    @rule(nanoseconds=st.one_of(st.integers(0, 300 * MS), st.integers(0, 10**11)))
    def wait(self, nanoseconds):
        self.clock.sleep_ns(nanoseconds)

    @rule(samples=st.integers(1, 40))
    def read_samples(self, samples):
        if not self.known:
            return
        self.take()
        status = one(self.chip, FIFO_SRC)
        assert status & 0x7F == min(len(self.model), 31) | 0x40 * (len(self.model) == 32) | 0x20 * (not self.model)
        samples = min(samples, len(self.model))
        digits = np.frombuffer(self.chip.read(OUT | MANY, 6 * samples), "<i2").reshape(-1, 3) >> 6
        times = self.source.times_of((digits * 0.016 * G).astype(np.float32)).tolist()
        assert times == [self.model.popleft() for _ in range(samples)]

    @rule(register=st.integers(0, 0xFF), values=st.binary(min_size=1, max_size=4))
    def write(self, register, values):
        self.chip.write(register, values)
        self.known = False

    @rule()
    def lose_power(self):
        self.chip.power_cycle()
        self.known = False
        assert one(self.chip, FIFO_SRC) == 0x20

    @invariant()
    def keeps_to_its_document(self):
        if hasattr(self, "chip"):
            assert one(self.chip, 0x0F) == 0x33
            assert len(self.chip.fifo) <= 32


Lis3dhMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLis3dhMachine = Lis3dhMachine.TestCase
