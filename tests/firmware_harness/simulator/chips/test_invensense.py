"""What the simulated InvenSense chips have in common, and that no use of them breaks what a chip keeps to."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deseptr.firmware_harness.simulator import (
    ConstantSource,
    CountingSource,
    SimulatedIcm20948,
    SimulatedMpu6050,
    SimulatedMpu6500,
    VirtualClock,
    counted_times,
)

MS = 1_000_000
G = 9.80665


@dataclass(frozen=True)
class InvenSenseMap:
    """Registers of a chip's datasheet, as far as a test needs them; bits 8 and 9 are the bank."""

    chip: type
    fifo_bytes: int
    power: tuple[int, int, int]  # register, awake, asleep
    axes_off: int
    outputs: int
    temperature_at: int  # byte of the measurement; None follows the others
    fifo_count: int
    fifo_data: int
    data_ready: tuple[int, int]  # register, bits
    overflow: tuple[int, int]
    any_read_clears: int
    start_up_ms: int
    set_up: tuple[tuple[int, int], ...]
    reset_fifo: tuple[tuple[int, int], ...]
    reserved: dict[int, int]  # bits that read as 0, by register


MPU_RESERVED = {0x6B: 0x10, 0x37: 0x01, 0x38: 0xA6, 0x1C: 0x07, 0x75: 0x80}
MPU_SET_UP = ((0x1A, 4), (0x1B, 0x10), (0x1C, 0x10), (0x38, 0x11), (0x19, 9), (0x6A, 0x40), (0x23, 0x78))
MPU_RESET = ((0x23, 0), (0x6A, 0), (0x6A, 4), (0x6A, 0x40), (0x23, 0x78))
MAPS = {
    "mpu6050": InvenSenseMap(
        SimulatedMpu6050, 1024, (0x6B, 0x01, 0x41), 0x6C, 0x3B, 6, 0x72, 0x74, (0x3A, 1), (0x3A, 0x10), 0x37, 30,
        MPU_SET_UP, MPU_RESET, MPU_RESERVED | {0x1A: 0xC0, 0x1B: 0x07, 0x6A: 0x88},
    ),
    "mpu6500": InvenSenseMap(
        SimulatedMpu6500, 512, (0x6B, 0x01, 0x41), 0x6C, 0x3B, 6, 0x72, 0x74, (0x3A, 1), (0x3A, 0x10), 0x37, 35,
        (*MPU_SET_UP, (0x1D, 4)), MPU_RESET,
        {**MPU_RESERVED, 0x6B: 0x00, 0x1A: 0x80, 0x1B: 0x04, 0x1D: 0x30, 0x6A: 0x07, 0x1E: 0xF0},
    ),
    "icm20948": InvenSenseMap(
        SimulatedIcm20948, 512, (0x06, 0x01, 0x41), 0x07, 0x2D, 12, 0x70, 0x72, (0x1A, 1), (0x1B, 0x1F), 0x0F, 35,
        (
            (0x201, 0x25), (0x214, 0x25), (0x211, 10), (0x210, 0), (0x200, 10), (0x11, 1), (0x12, 0x1F),
            (0x68, 0), (0x69, 0), (0x03, 0x40), (0x67, 0x1E),
        ),
        ((0x67, 0), (0x68, 0x1F), (0x68, 0), (0x03, 0x40), (0x67, 0x1E)),
        {0x06: 0x10, 0x03: 0x0F, 0x07: 0xC0, 0x12: 0xE0, 0x67: 0xE0, 0x7F: 0xCF, 0x201: 0xC0, 0x214: 0xC0, 0x210: 0xF0},
    ),
}  # fmt: skip
every_chip = pytest.mark.parametrize("name", MAPS)


class InvenSenseBench:
    def __init__(self, name, source=None, **options):
        self.map = MAPS[name]
        self.clock = VirtualClock()
        self.runs = []
        self.chip = self.map.chip(source or CountingSource(), self.clock, on_samples=self.runs.append, **options)

    def banked(self, register):
        if self.map.chip is SimulatedIcm20948:
            self.chip.write(0x7F, bytes((register >> 8 << 4,)))
        return register & 0xFF

    def write(self, register, value):
        self.chip.write(self.banked(register), bytes((value,)))

    def read(self, register, length=1):
        return self.chip.read(self.banked(register), length)

    def set_up(self):
        """8 g, 1000 deg/s, all axes in the FIFO, awake for long."""
        self.write(self.map.power[0], self.map.power[1])
        self.clock.sleep_ns(50 * MS)
        self.configure()
        return self

    def configure(self):
        for register, value in self.map.set_up:
            self.write(register, value)

    def fifo_count(self):
        return int.from_bytes(self.read(self.map.fifo_count, 2), "big")

    def measured(self):
        data = bytearray(self.read(self.map.outputs, 14))
        del data[self.map.temperature_at : self.map.temperature_at + 2]
        return np.frombuffer(bytes(data), ">i2").astype(int)


def si(counts):
    return (counts * np.array([G / 4096] * 3 + [np.deg2rad(1) / 32.8] * 3)).astype(np.float32)


@every_chip
def test_gyroscope_gives_nothing_before_it_has_started_up(name):
    bench = InvenSenseBench(name, ConstantSource([G] * 3 + [1, 1, 1]))
    bench.write(*bench.map.power[:2])
    bench.configure()
    bench.clock.sleep_ns((bench.map.start_up_ms - 1) * MS)
    assert not bench.measured()[3:].any()
    bench.clock.sleep_ns(21 * MS)
    assert (bench.measured() > 1000).all()
    # Asleep for a moment it has to start up anew.
    bench.write(bench.map.power[0], bench.map.power[2])
    bench.write(bench.map.power[0], bench.map.power[1])
    bench.clock.sleep_ns(29_500_000)
    assert bench.measured().astype(bool).tolist() == [True] * 3 + [False] * 3


@every_chip
def test_start_up_does_not_depend_on_the_time_of_access(name):
    data = []
    for step_ms in (1, 200):
        bench = InvenSenseBench(name, ConstantSource([G] * 3 + [1, 1, 1]))
        bench.write(*bench.map.power[:2])
        bench.configure()
        for _ in range(200 // step_ms):
            bench.clock.sleep_ns(step_ms * MS)
            bench.read(bench.map.axes_off)
        data.append(bench.read(bench.map.fifo_data, 240))
    assert data[0] == data[1]


@every_chip
def test_axis_that_is_switched_off_gives_zero(name):
    for axis in range(6):
        bench = InvenSenseBench(name, ConstantSource([G] * 3 + [1, 1, 1])).set_up()
        bench.write(bench.map.axes_off, 0x20 >> axis)
        bench.clock.sleep_ns(20 * MS)
        assert (bench.measured() == 0).tolist() == [axis == number for number in range(6)]


@every_chip
def test_stopped_clock_stops_the_samples(name):
    bench = InvenSenseBench(name).set_up()
    bench.write(bench.map.power[0], bench.map.power[1] | 7)
    bench.clock.sleep_ns(1000 * MS)
    assert bench.fifo_count() == 0


@every_chip
@pytest.mark.parametrize("any_read", [False, True])
def test_status_is_cleared_by_reading_it_or_by_any_read(name, any_read):
    bench = InvenSenseBench(name).set_up()
    bench.write(bench.map.any_read_clears, 0x10 * any_read)
    register, bits = bench.map.data_ready
    bench.clock.sleep_ns(20 * MS)
    bench.read(bench.map.outputs, 14)
    assert bool(bench.read(register)[0] & bits) is not any_read
    assert bench.read(register)[0] & bits == 0


@every_chip
def test_upset_of_the_reset_bit_resets(name):
    bench = InvenSenseBench(name).set_up()
    bench.clock.sleep_ns(100 * MS)
    bench.chip.upset(bench.map.power[0], 7)
    bench.clock.sleep_ns(60 * MS)
    assert bench.fifo_count() == 0
    assert bench.read(bench.map.set_up[0][0]) != bytes((bench.map.set_up[0][1],))


@every_chip
def test_power_loss_brings_the_factory_trims_back(name):
    bench = InvenSenseBench(name)
    before = [bench.read(bank << 8, 0x6A) for bank in range(4)]
    bench.set_up()
    bench.write(0x114 if name == "icm20948" else 0x0D, 0x55)
    bench.chip.power_cycle()
    assert [bench.read(bank << 8, 0x6A) for bank in range(4)] == before


class InvenSenseMachine(RuleBasedStateMachine):
    """Whatever is written and read in whatever order, a chip behaves as in its datasheet."""

    @initialize(name=st.sampled_from(sorted(MAPS)), rate_error=st.floats(-0.1, 0.1))
    def power_up(self, name, rate_error):
        self.bench = InvenSenseBench(name, rate_error=rate_error)
        self.map = self.bench.map
        self.fresh = False
        self.taken = 0

    @rule()
    def set_up(self):
        """From any state to one in which whole datums go into an empty FIFO."""
        self.bench.clock.sleep_ns(100 * MS)
        self.bench.write(self.map.power[0], 0x80)
        self.bench.clock.sleep_ns(100 * MS)
        self.bench.set_up()
        for register, value in self.map.reset_fifo:
            self.bench.write(register, value)
        self.bench.read(self.map.overflow[0])
        self.fresh, self.last_ns = True, -1

    @rule(nanoseconds=st.one_of(st.integers(0, 300 * MS), st.integers(0, 10**12)))
    def wait(self, nanoseconds):
        self.bench.clock.sleep_ns(nanoseconds)

    @rule(bank=st.integers(0, 3), register=st.integers(0, 0x7E), value=st.integers(0, 255))
    def write(self, bank, register, value):
        self.bench.write(bank << 8 | register, value)
        self.fresh = False

    @rule(bank=st.integers(1, 3), register=st.integers(0, 0x7E), length=st.integers(1, 20))
    def read_other_banks(self, bank, register, length):
        if self.map.chip is SimulatedIcm20948:
            assert len(self.bench.read(bank << 8 | register, length)) == length

    @rule(register=st.integers(0, 0x7E), length=st.integers(1, 40))
    def read(self, register, length):
        touched = range(register, register + length)
        assert len(self.bench.read(register, length)) == length
        self.fresh &= self.map.fifo_data not in touched and self.map.overflow[0] not in touched

    @rule(datums=st.integers(0, 50))
    def read_whole_datums(self, datums):
        if not self.fresh:
            return
        held = self.bench.fifo_count()
        if self.bench.read(self.map.overflow[0])[0] & self.map.overflow[1]:
            self.fresh = False
            return
        assert held % 12 == 0
        datums = min(datums, held // 12)
        if datums:
            data = self.bench.read(self.map.fifo_data, 12 * datums)
            times = counted_times(si(np.frombuffer(data, ">i2").reshape(-1, 6)))
            # Genuine, of one moment in all channels, and one after the other.
            assert (np.diff(times, prepend=self.last_ns) > 0).all()
            assert (np.abs(np.diff(times) - self.bench.chip.true_period_ns) <= 1).all()
            self.last_ns = times[-1]
        assert self.bench.fifo_count() in (held - 12 * datums, held - 12 * datums + 12)

    @rule()
    def lose_power(self):
        self.bench.chip.power_cycle()
        self.fresh = False
        assert self.bench.fifo_count() == 0

    @invariant()
    def keeps_to_its_document(self):
        if not hasattr(self, "map"):
            return
        assert self.bench.fifo_count() <= self.map.fifo_bytes
        assert self.bench.chip.samples_taken >= self.taken
        self.taken = self.bench.chip.samples_taken
        assert sum(run.count for run in self.bench.runs) == self.taken
        for register, bits in self.map.reserved.items():
            assert self.bench.read(register)[0] & bits == 0


InvenSenseMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestChipMachine = InvenSenseMachine.TestCase
