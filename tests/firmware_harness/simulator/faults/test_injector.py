import errno

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import SetupError
from deseptr.device import BusError
from deseptr.firmware_harness.simulator import (
    BCM2835,
    I2C_TINY_USB,
    BitFlipRead,
    BitFlipWrite,
    BrokenTransfer,
    BrownOut,
    BusFault,
    ClockStretch,
    Clone,
    ConstantSource,
    FaultInjector,
    Hang,
    Nack,
    Overflow,
    RateError,
    RegisterUpset,
    SimulatedMpu6050,
    StuckBus,
    VirtualClock,
    VirtualI2cBus,
)

MS = 1_000_000
S = 1_000_000_000
WAKE = ((0x6B, 1), (0x1A, 4), (0x19, 19), (0x38, 0x10), (0x6A, 0x40), (0x23, 0x78))


class FaultBench:
    """An MPU-6050 that samples at 50 Hz from the clock's zero on, give or take the wires."""

    def __init__(self, *faults, seed=0, profile=BCM2835):
        self.clock = VirtualClock()
        self.injector = FaultInjector(faults, seed)
        self.chip = SimulatedMpu6050(ConstantSource([9.8, 0, 0, 0, 0, 1]), self.clock)
        for register, value in WAKE:
            self.chip.write(register, bytes((value,)))
        self.bus = VirtualI2cBus({0x68: self.chip}, self.clock, profile, self.injector)

    def at(self, seconds):
        self.clock.sleep_ns(round(seconds * S) - self.clock.now_ns())
        return self

    def read(self, register=0x75, length=1, address=0x68):
        """The bytes, or the errno."""
        try:
            return self.bus.read(address, register, length)
        except BusError as error:
            return error.errno

    @property
    def log(self):
        return self.injector.log.entries


def test_nack_for_a_time():
    bench = FaultBench(Nack(at_s=1, duration_s=2))
    answers = [bench.at(t).read() for t in (0.9, 1.0, 2.9, 3.0)]
    assert answers == [b"\x68", errno.EREMOTEIO, errno.EREMOTEIO, b"\x68"]
    (entry,) = bench.log
    assert (entry.begin_ns, entry.end_ns, entry.transfers, entry.hit) == (S, 3 * S, 2, "read from 0x75")


def test_nack_for_a_number_of_transfers():
    bench = FaultBench(Nack(at_s=1, transfers=2))
    assert [bench.at(1 + t).read() for t in range(3)] == [errno.EREMOTEIO, errno.EREMOTEIO, b"\x68"]
    (entry,) = bench.log
    assert entry.transfers == 2
    assert (round(entry.begin_ns / S), round(entry.end_ns / S)) == (1, 2)


def test_nack_has_the_controllers_errno():
    assert FaultBench(Nack(transfers=1), profile=I2C_TINY_USB).read() == errno.ENXIO
    assert FaultBench(profile=I2C_TINY_USB).read(address=0x69) == errno.ENXIO


def test_fault_of_one_address_leaves_the_others_alone():
    assert FaultBench(Nack(duration_s=1, address=0x69)).read() == b"\x68"


def test_stuck_bus_costs_the_controllers_timeout_each_time():
    bench = FaultBench(StuckBus(at_s=1, duration_s=2.5))
    begun = bench.at(1).clock.now_ns()
    assert [bench.read() for _ in range(4)] == [errno.ETIMEDOUT] * 3 + [b"\x68"]
    assert 3 * S < bench.clock.now_ns() - begun < 3 * S + 2 * MS
    assert bench.log[0].end_ns == round(3.5 * S)


@pytest.mark.parametrize(
    ("profile", "stretch_s", "answer", "took_ms"),
    [(BCM2835, 0.03, b"\x68", 30), (BCM2835, 0.04, errno.EIO, 35), (I2C_TINY_USB, 0.04, b"\x68", 40)],
)
def test_clock_stretching_is_accepted_up_to_the_controllers_timeout(profile, stretch_s, answer, took_ms):
    bench = FaultBench(ClockStretch(duration_s=1, stretch_s=stretch_s), profile=profile)
    assert bench.read() == answer
    assert took_ms <= bench.clock.now_ns() / MS < took_ms + 6


def test_broken_transfer_waits_for_a_read_of_fifo_data_and_takes_bytes_with_it():
    bench = FaultBench(BrokenTransfer(at_s=0.1, fifo=True, consumed=7))
    bench.at(0.2)
    assert bench.read() == b"\x68"
    count = int.from_bytes(bench.read(0x72, 2), "big")
    assert bench.read(0x74, 24) == errno.EIO
    assert int.from_bytes(bench.read(0x72, 2), "big") == count - 7
    assert bench.log[0].fifo_reads == 1


def test_a_read_takes_only_the_requested_bytes():
    bench = FaultBench(BrokenTransfer(fifo=True, consumed=700))
    bench.at(0.5).read(0x74, 24)
    assert int.from_bytes(bench.read(0x72, 2), "big") % 12 == 0


@given(st.integers(0, 15), st.integers(0, 5))
def test_bit_flip_of_a_read_does_not_change_the_chip(bit, after):
    bench = FaultBench(BitFlipRead(register=0x19, bit=bit, after=after))
    answers = [bench.read(0x19, 2) for _ in range(after + 2)]
    right = bytes((19, 4))
    flipped = (int.from_bytes(right, "big") ^ 1 << (15 - bit)).to_bytes(2, "big")
    assert answers == [right] * after + [flipped, right]


@given(st.integers(0, 7))
def test_bit_flip_of_a_write_is_what_the_chip_then_holds(bit):
    bench = FaultBench(BitFlipWrite(register=0x19, bit=bit))
    bench.bus.write(0x68, 0x19, b"\x0f")
    assert bench.read(0x19)[0] == 0x0F ^ 0x80 >> bit
    assert bench.log[0].hit == f"bit {bit} of 1 byte, write to 0x19"


def test_bit_flip_of_a_read_does_not_hit_writes_nor_the_reverse():
    bench = FaultBench(BitFlipRead(bit=0), BitFlipWrite(bit=0))
    assert bench.read(0x75) == b"\xe8"
    bench.bus.write(0x68, 0x19, b"\x0f")
    assert bench.read(0x19) == b"\x8f"


def test_a_bit_beyond_the_data_flips_nothing():
    assert FaultBench(BitFlipRead(bit=100)).read() == b"\x68"


def test_register_upset_stays():
    bench = FaultBench(RegisterUpset(at_s=1, register=0x1B, bit=4))
    assert [bench.at(t).read(0x1B) for t in (0.9, 1, 2)] == [b"\0", b"\x10", b"\x10"]
    assert bench.log[0].hit == "register 0x1B, bit 4"


def test_brown_out_resets_the_chip_without_a_transfer_meanwhile():
    bench = FaultBench(BrownOut(at_s=1, duration_s=0.01))
    bench.at(0.999).read()
    taken = bench.chip.samples_taken
    assert bench.at(2).read(0x6B) == b"\x40"
    assert bench.read(0x72, 2) == b"\0\0"
    assert bench.chip.samples_taken == taken + 1
    assert (bench.log[0].transfers, bench.log[0].end_ns) == (0, round(1.01 * S))


def test_no_answer_during_a_brown_out():
    bench = FaultBench(BrownOut(at_s=1, duration_s=1))
    assert [bench.at(t).read(0x6B) for t in (0.5, 1.5, 2.5)] == [b"\x01", errno.EREMOTEIO, b"\x40"]


def test_hang_stops_the_samples_at_its_time():
    bench = FaultBench(Hang(at_s=0.5))
    bench.at(1)
    assert int.from_bytes(bench.read(0x72, 2), "big") == 25 * 12


def test_host_that_stalls_lets_the_fifo_overflow():
    bench = FaultBench(Overflow(at_s=1, duration_s=10))
    bench.at(1.001)
    assert bench.read(0x3A) == b"\x10"
    assert bench.clock.now_ns() > 11 * S
    assert bench.at(12).read(0x3A) == b"\x10"
    assert bench.clock.now_ns() < 12.1 * S


def test_a_fault_that_begins_during_a_stall_hits_the_delayed_transfer():
    bench = FaultBench(Nack(at_s=3, duration_s=60), Overflow(at_s=1, duration_s=10), BrownOut(at_s=2, duration_s=1))
    assert bench.at(1).read() == errno.EREMOTEIO
    assert [entry.fault.kind for entry in bench.log] == ["overflow", "brown-out", "nack"]
    assert bench.at(70).read(0x6B) == b"\x40"


def test_oscillator_may_change_its_rate_at_a_time():
    bench = FaultBench(RateError(at_s=1, rate_error=0.25))
    bench.at(1.9).read()
    assert abs(bench.chip.samples_taken - (50 + 0.9 * 62.5)) <= 1


def test_clone():
    bench = FaultBench(Clone(who_am_i=0x70))
    assert bench.read() == b"\x70"


def test_undeclared_details_come_from_the_seed():
    def run(seed):
        faults = [RegisterUpset(at_s=t) for t in range(20)] + [BitFlipRead(at_s=t + 0.5) for t in range(20)]
        bench = FaultBench(*faults, seed=seed)
        answers = [bench.at(t / 2).read(0x19, 11) for t in range(42)]
        return answers, [entry.to_dict() for entry in bench.log]

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_two_faults_are_counted_apart():
    bench = FaultBench(BusFault(register=0x10, after=1), BusFault(after=3))
    answers = [isinstance(bench.read(0x10), bytes) for _ in range(5)]
    assert answers.count(False) == 2


def test_finish_completes_the_log():
    bench = FaultBench(Nack(at_s=1, duration_s=1), Hang(at_s=1.5), Nack(at_s=9, duration_s=1))
    bench.at(5)
    bench.injector.finish()
    assert [(entry.fault.kind, entry.end_ns) for entry in bench.log] == [("nack", 2 * S), ("hang", round(1.5 * S))]


@given(
    st.lists(
        st.one_of(
            st.builds(Nack, at_s=st.floats(0, 9), duration_s=st.floats(0.01, 2)),
            st.builds(Nack, at_s=st.floats(0, 9), transfers=st.integers(1, 4)),
            st.builds(StuckBus, at_s=st.floats(0, 9), duration_s=st.floats(0.01, 2)),
            st.builds(BrownOut, at_s=st.floats(0, 9), duration_s=st.floats(0.01, 2)),
            st.builds(Overflow, at_s=st.floats(0, 9), duration_s=st.floats(0.01, 2)),
            st.builds(Hang, at_s=st.floats(0, 9)),
            st.builds(RegisterUpset, at_s=st.floats(0, 9)),
            st.builds(RateError, at_s=st.floats(0, 9), rate_error=st.floats(-0.1, 0.1)),
        ),
        max_size=8,
    )
)
def test_any_list_of_faults_ends_and_is_logged_in_order(faults):
    bench = FaultBench(*faults)
    for step in range(200):
        bench.at(step * 0.1).read()
    bench.at(60)
    for _ in range(40):
        bench.read()
    assert bench.read() == b"\x68"
    assert sorted(map(id, faults)) == sorted(id(entry.fault) for entry in bench.log)
    timed = [entry for entry in bench.log if np.isfinite(entry.fault.lasts_s)]
    assert [entry.begin_ns for entry in timed] == sorted(entry.begin_ns for entry in timed)
    assert all(entry.end_ns >= entry.begin_ns for entry in bench.log)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Nack(at_s=-1, duration_s=1), "fault nack, at_s: found -1, expected a time of at least 0 s"),
        (lambda: Nack(), "fault nack, duration_s: found 0.0, expected either duration_s or transfers, not both"),
        (lambda: StuckBus(duration_s=0), "fault stuck-bus, duration_s: found 0, expected a time of more than 0 s"),
        (lambda: RegisterUpset(bit=8), "fault register-upset, bit: found 8, expected 0 to 7"),
        (lambda: RateError(rate_error=-1), "fault rate-error, rate_error: found -1, expected a share of -0.9 to 9"),
        (lambda: Clone(who_am_i=256), "fault clone, who_am_i: found 256, expected a byte"),
        (lambda: BitFlipRead(transfers=0), "fault bit-flip-read, transfers: found 0, expected at least 1"),
        (lambda: BrokenTransfer(consumed=-1), "fault broken-transfer, consumed: found -1, expected at least 0"),
        (lambda: ClockStretch(duration_s=1, stretch_s=0), "fault clock-stretch, stretch_s: found 0, expected a time"),
    ],
)
def test_invalid_values_are_refused(make, message):
    with pytest.raises(SetupError) as caught:
        make()
    assert str(caught.value).startswith(message)
