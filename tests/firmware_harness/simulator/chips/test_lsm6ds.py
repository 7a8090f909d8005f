"""That no use of the simulated chips of ST's LSM6DS family breaks what they keep to."""

from dataclasses import dataclass

import numpy as np
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deseptr.firmware_harness.simulator import (
    CountingSource,
    SimulatedLsm6ds3trc,
    SimulatedLsm6dsox,
    VirtualClock,
    counted_times,
)

MS = 1_000_000
BANKS, IDENTITY, CTRL3_C, STATUS = 0x01, 0x0F, 0x12, 0x3A
SCALES = np.array([0.244e-3 * 9.80665] * 3 + [np.deg2rad(0.035)] * 3)
# 52 Hz, 8 g, 1000 deg/s; BDU and IF_INC.
SENSORS = ((CTRL3_C, 0x44), (0x10, 0x3C), (0x11, 0x38))


@dataclass(frozen=True)
class Lsm6dsMap:
    """Registers of a chip's datasheet, as far as a test needs them."""

    chip: type
    identity: int
    words: int  # that the FIFO holds
    level_bits: int
    datum_words: int
    data: int
    word_bytes: int
    filling: tuple[tuple[int, int], ...]  # have all samples go into the FIFO
    lost: int  # bits of FIFO_STATUS2 from which on something may be missing
    stale: int  # datums to discard after that
    reserved: dict[int, int]  # bits that read as 0, by register

    def level(self, status):
        return int.from_bytes(status, "little") & (1 << self.level_bits) - 1

    def signals(self, data):
        """SI units [n, 6] of whole datums."""
        if self.word_bytes == 2:
            counts = np.frombuffer(data, "<i2").reshape(-1, 6)
        else:
            words = np.frombuffer(data, np.uint8).reshape(-1, 2, 7)
            assert (words[:, :, 0] >> 3 == [1, 2]).all()
            assert (words[:, 0, 0] >> 1 & 3 == words[:, 1, 0] >> 1 & 3).all()
            counts = np.ascontiguousarray(words[:, :, 1:]).view("<i2").reshape(-1, 6)
        return (counts[:, [3, 4, 5, 0, 1, 2]] * SCALES).astype(np.float32)


MAPS = {
    "lsm6dsox": Lsm6dsMap(
        SimulatedLsm6dsox, 0x6C, 512, 10, 2, 0x78, 7, ((0x09, 0x33), (0x0A, 0x06)), 0x68, 0,
        {0x00: 0xFF, 0x03: 0xFF, 0x10: 0x01, 0x11: 0x01, 0x13: 0x91, 0x20: 0x00, 0x3B: 0x04},
    ),
    "lsm6ds3trc": Lsm6dsMap(
        SimulatedLsm6ds3trc, 0x6A, 2048, 11, 6, 0x3E, 2, ((0x08, 0x09), (0x0A, 0x1E)), 0x60, 1,
        {0x00: 0xFF, 0x02: 0xFF, 0x11: 0x01, 0x13: 0x01, 0x1C: 0xFF, 0x3D: 0xFC},
    ),
}  # fmt: skip


class Lsm6dsMachine(RuleBasedStateMachine):
    """Whatever is written and read in whatever order, a chip behaves as in its datasheet."""

    @initialize(name=st.sampled_from(sorted(MAPS)), rate_error=st.floats(-0.1, 0.1))
    def power_up(self, name, rate_error):
        self.map = MAPS[name]
        self.clock = VirtualClock()
        self.runs = []
        self.chip = self.map.chip(CountingSource(), self.clock, rate_error=rate_error, on_samples=self.runs.append)
        self.fresh = False
        self.taken = 0

    def put(self, register, value):
        self.chip.write(register, bytes((value,)))

    def status(self):
        return bytes(self.chip.read(STATUS + byte, 1)[0] for byte in range(2))

    @rule()
    def set_up(self):
        """From any state to one in which whole datums go into an empty FIFO."""
        self.clock.sleep_ns(100 * MS)
        for register, value in ((BANKS, 0), (CTRL3_C, 0x05)):
            self.put(register, value)
        self.clock.sleep_ns(MS)
        for register, value in SENSORS:
            self.put(register, value)
        self.clock.sleep_ns(300 * MS)
        for register, value in self.map.filling:
            self.put(register, value)
        if self.map.stale:
            self.clock.sleep_ns(self.chip.true_period_ns)
            self.chip.read(self.map.data, self.map.stale * self.map.datum_words * self.map.word_bytes)
        self.fresh, self.last_ns = True, -1

    @rule(nanoseconds=st.one_of(st.integers(0, 300 * MS), st.integers(0, 10**11)))
    def wait(self, nanoseconds):
        self.clock.sleep_ns(nanoseconds)

    @rule(register=st.integers(0, 0x7F), values=st.binary(min_size=1, max_size=4))
    def write(self, register, values):
        self.chip.write(register, values)
        self.fresh = False

    @rule(register=st.integers(0, 0x7F), length=st.integers(1, 40))
    def read(self, register, length):
        assert len(self.chip.read(register, length)) == length
        end = self.map.data + self.map.word_bytes
        self.fresh &= not (register < end and register + length > self.map.data)

    @rule(datums=st.integers(0, 60))
    def read_whole_datums(self, datums):
        if not self.fresh:
            return
        status = self.status()
        if status[1] & self.map.lost:
            self.fresh = False
            return
        held, rest = divmod(self.map.level(status), self.map.datum_words)
        assert rest == 0
        datums = min(datums, held)
        if datums:
            size = datums * self.map.datum_words * self.map.word_bytes
            times = counted_times(self.map.signals(self.chip.read(self.map.data, size)))
            # Genuine, of one moment in all channels, and one after the other.
            assert (np.diff(times, prepend=self.last_ns) > 0).all()
            assert (np.abs(np.diff(times) - self.chip.true_period_ns) <= 1).all()
            self.last_ns = times[-1]
        assert self.map.level(self.status()) == (held - datums) * self.map.datum_words

    @rule()
    def lose_power(self):
        self.chip.power_cycle()
        self.fresh = False
        assert self.map.level(self.status()) == 0

    @invariant()
    def keeps_to_its_document(self):
        if not hasattr(self, "map"):
            return
        assert len(self.chip.fifo) <= self.map.words
        assert self.chip.samples_taken >= self.taken
        self.taken = self.chip.samples_taken
        assert sum(run.count for run in self.runs) == self.taken
        assert self.chip.read(IDENTITY, 1)[0] in (self.map.identity, 0)
        for register, bits in self.map.reserved.items():
            assert self.chip.read(register, 1)[0] & bits == 0


Lsm6dsMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestChipMachine = Lsm6dsMachine.TestCase
