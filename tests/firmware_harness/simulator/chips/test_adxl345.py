"""The simulated ADXL345 against its datasheet: figures here are the document's, as numbers."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deseptr.firmware_harness.simulator import CoarseCountingSource, ConstantSource, VirtualClock, counted_ticks
from deseptr.firmware_harness.simulator.chips.adxl345 import SimulatedAdxl345

G = 9.80665
MS = 1_000_000
DATA, FIFO_CTL, FIFO_STATUS, BW_RATE, POWER_CTL, DATA_FORMAT, INT_SOURCE = 0x32, 0x38, 0x39, 0x2C, 0x2D, 0x31, 0x30
STREAM, FIFO = 0x80, 0x40


def measuring(source=None, *, rate=0x0A, form=0x0B, fifo=0x00, **options):
    clock = VirtualClock()
    chip = SimulatedAdxl345(source or ConstantSource([G, -G / 2, 2 * G, 0, 0, 0]), clock, **options)
    for register, value in ((BW_RATE, rate), (DATA_FORMAT, form), (FIFO_CTL, fifo), (POWER_CTL, 0x08)):
        chip.write(register, bytes((value,)))
    return chip, clock


def counts(chip):
    return np.frombuffer(chip.read(DATA, 6), "<i2").tolist()


def one(chip, register):
    return chip.read(register, 1)[0]


def test_reset_values_and_identity():
    chip = SimulatedAdxl345(ConstantSource(np.zeros(6)), VirtualClock())
    expected = {0x00: 0xE5, BW_RATE: 0x0A, INT_SOURCE: 0x02}
    assert {register: one(chip, register) for register in range(0x40)} == {
        register: expected.get(register, 0) for register in range(0x40)
    }


@pytest.mark.parametrize(("code", "hz"), [(0x0F, 3200), (0x0D, 800), (0x0A, 100), (0x09, 50), (0x06, 6.25), (0, 0.098)])
def test_rate(code, hz):
    chip, _ = measuring(rate=code)
    assert 1e9 / chip.period_ns == pytest.approx(hz, rel=0.01)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (0x08, [256, -128, 511]),  # ±2 g, full resolution: 10 bits
        (0x09, [256, -128, 512]),  # ±4 g, full resolution: the same count
        (0x0B, [256, -128, 512]),
        (0x00, [256, -128, 511]),  # ±2 g, 10 bits
        (0x01, [128, -64, 256]),
        (0x02, [64, -32, 128]),
        (0x03, [32, -16, 64]),
        (0x04, [256 << 6, -128 << 6, 511 << 6]),  # left-justified
        (0x0F, [256 << 3, -128 << 3, 512 << 3]),
    ],
)
def test_data_formats(form, expected):
    chip, clock = measuring(form=form)
    clock.sleep_ns(50 * MS)
    assert counts(chip) == expected


def test_offsets_and_self_test_are_added():
    chip, clock = measuring(self_test_g=(0.5, -0.5, 1.0))
    chip.write(0x1E, bytes((64, 192, 0)))
    clock.sleep_ns(50 * MS)
    assert counts(chip) == pytest.approx([256 + 256, -128 - 256, 512], abs=1)
    chip.write(DATA_FORMAT, b"\x8b")
    clock.sleep_ns(50 * MS)
    assert counts(chip) == pytest.approx([512 + 128, -384 - 128, 512 + 256], abs=1)


def test_first_sample_comes_a_period_and_the_wake_up_time_after_standby():
    chip, clock = measuring()
    clock.sleep_ns(11 * MS)
    assert not one(chip, INT_SOURCE) & 0x80
    clock.sleep_ns(MS // 5)
    assert one(chip, INT_SOURCE) & 0x80
    assert counts(chip)[0] == 256
    assert not one(chip, INT_SOURCE) & 0x80


def test_any_read_of_data_takes_one_sample_out_and_the_status_counts_them():
    chip, clock = measuring(CoarseCountingSource(), fifo=STREAM | 5)
    clock.sleep_ns(62 * MS)
    assert one(chip, FIFO_STATUS) == 6
    assert one(chip, INT_SOURCE) == 0x82
    chip.read(DATA, 1)
    assert one(chip, FIFO_STATUS) == 5
    # Samples are 10 ms apart: 0 is gone.
    data = chip.read(DATA, 8)
    assert data[6:] == bytes((STREAM | 5, 4))
    assert counted_ticks(np.frombuffer(data[:6], "<i2")[None] * np.float32(G / 256)) == [10 * MS >> 22]
    assert one(chip, INT_SOURCE) == 0x80
    for _ in range(9):
        newest = counts(chip)
    assert one(chip, FIFO_STATUS) == 0
    assert counts(chip) == newest


def test_stream_mode_keeps_the_newest_33_and_fifo_mode_the_oldest():
    for mode, first_ms in ((STREAM, 7 * 10), (FIFO, 0)):
        chip, clock = measuring(CoarseCountingSource(), fifo=mode)
        clock.sleep_ns(402 * MS)
        assert one(chip, FIFO_STATUS) == 33
        assert one(chip, INT_SOURCE) & 1
        first = counted_ticks(np.array([counts(chip)]) * np.float32(G / 256))
        assert first == [first_ms * MS >> 22]
        assert not one(chip, INT_SOURCE) & 1


def test_bypass_empties_the_fifo_and_holds_the_newest_sample():
    chip, clock = measuring(fifo=STREAM)
    clock.sleep_ns(100 * MS)
    chip.write(FIFO_CTL, b"\0")
    assert one(chip, FIFO_STATUS) == 0
    assert not one(chip, INT_SOURCE) & 0x80
    clock.sleep_ns(100 * MS)
    assert one(chip, FIFO_STATUS) == 0
    assert one(chip, INT_SOURCE) & 0x81 == 0x81


def test_standby_stops_and_power_loss_forgets():
    chip, clock = measuring(fifo=STREAM)
    chip.write(POWER_CTL, b"\0")
    clock.sleep_ns(1000 * MS)
    assert one(chip, FIFO_STATUS) == 0
    chip.power_cycle()
    assert (one(chip, BW_RATE), one(chip, DATA_FORMAT)) == (0x0A, 0)


@given(st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_reserved_bits_stay_zero(register, value):
    chip = SimulatedAdxl345(ConstantSource(np.zeros(6)), VirtualClock())
    reserved = {0x2A: 0xF0, 0x2B: 0xFF, BW_RATE: 0xE0, POWER_CTL: 0xC0, DATA_FORMAT: 0x10, FIFO_STATUS: 0xFF}
    chip.write(register, bytes((value,)))
    assert all(one(chip, each) & bits == 0 for each, bits in reserved.items())


class Adxl345Machine(RuleBasedStateMachine):
    """Whatever is written and read in whatever order, the FIFO holds what its datasheet says."""

    @initialize(rate_error=st.floats(-0.1, 0.1))
    def power_up(self, rate_error):
        self.clock = VirtualClock()
        self.runs = []
        self.chip = SimulatedAdxl345(
            CoarseCountingSource(), self.clock, rate_error=rate_error, on_samples=self.runs.append
        )
        self.model, self.counted, self.known = deque(maxlen=33), 0, False

    def take(self):
        """Enter the samples that have come into a FIFO of 33 places of its own."""
        self.chip.read(0x00, 1)
        times = [time for run in self.runs for time in run.times_ns.tolist()]
        self.model.extend(time - self.chip.source_begun_ns for time in times[self.counted :])
        self.counted = len(times)

    @rule(rate=st.integers(8, 12))
    def set_up(self, rate):
        for register, value in ((POWER_CTL, 0), (BW_RATE, rate), (DATA_FORMAT, 0x0B), (FIFO_CTL, 0)):
            self.chip.write(register, bytes((value,)))
        self.chip.write(FIFO_CTL, bytes((STREAM,)))
        self.take()
        self.model.clear()
        self.chip.write(POWER_CTL, b"\x08")
        self.known = True

    @rule(nanoseconds=st.one_of(st.integers(0, 300 * MS), st.integers(0, 10**11)))
    def wait(self, nanoseconds):
        self.clock.sleep_ns(nanoseconds)

    @rule(samples=st.integers(1, 40), length=st.integers(1, 8))
    def read_samples(self, samples, length):
        self.take()
        for _ in range(samples if self.known else 0):
            held = one(self.chip, FIFO_STATUS)
            assert held == len(self.model)
            data = self.chip.read(DATA, length)
            if held and length >= 6:
                tick = counted_ticks(np.frombuffer(data[:6], "<i2")[None] * np.float32(G / 256))[0]
                assert tick == self.model[0] >> 22 & (1 << 17) - 1
            if held:
                self.model.popleft()

    @rule(register=st.integers(0, 0x3F), values=st.binary(min_size=1, max_size=4))
    def write(self, register, values):
        self.chip.write(register, values)
        self.known = False

    @rule()
    def lose_power(self):
        self.chip.power_cycle()
        self.known = False
        assert one(self.chip, FIFO_STATUS) == 0

    @invariant()
    def keeps_to_its_document(self):
        if hasattr(self, "chip"):
            assert one(self.chip, 0x00) == 0xE5
            assert one(self.chip, FIFO_STATUS) <= 33


Adxl345Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAdxl345Machine = Adxl345Machine.TestCase
