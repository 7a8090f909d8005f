"""What every simulated chip can be made to do, shown on the MPU-6050."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.simulator import ConstantSource, SampleRun, SimulatedMpu6050, VirtualClock

MS = 1_000_000


def awake(**options):
    clock, runs = VirtualClock(), []
    chip = SimulatedMpu6050(ConstantSource([0, 0, 9.8, 0, 0, 0]), clock, on_samples=runs.append, **options)
    wake(chip)
    return chip, clock, runs


def wake(chip):
    for register, value in ((0x6B, 1), (0x1A, 4), (0x19, 19), (0x38, 0x10), (0x6A, 0x40), (0x23, 0x78)):
        chip.write(register, bytes((value,)))


def fifo_count(chip):
    return int.from_bytes(chip.read(0x72, 2), "big")


def test_every_sample_is_reported_with_its_time_even_if_the_fifo_is_full():
    chip, clock, runs = awake()
    clock.sleep_ns(2000 * 20 * MS + 1)
    chip.read(0x75, 1)
    clock.sleep_ns(40 * MS)
    chip.read(0x75, 1)
    assert runs == [SampleRun(0, 20 * MS, 20 * MS, 2000), SampleRun(2000, 2001 * 20 * MS, 20 * MS, 2)]
    assert chip.samples_taken == 2002
    assert runs[1].times_ns.tolist() == [40_020 * MS, 40_040 * MS]
    assert chip.source_begun_ns == 20 * MS


def test_power_cycle_resets_registers_and_fifo_but_not_the_number_of_samples():
    chip, clock, runs = awake()
    clock.sleep_ns(100 * MS)
    chip.power_cycle(at_ns=60 * MS)
    assert (chip.read(0x6B, 1), chip.read(0x19, 1), fifo_count(chip)) == (b"\x40", b"\x00", 0)
    clock.sleep_ns(1000 * MS)
    assert chip.samples_taken == 3
    wake(chip)
    clock.sleep_ns(40 * MS)
    assert fifo_count(chip) == 24
    assert [run.index for run in runs] == [0, 3]
    assert runs[1].first_ns == 1120 * MS


def test_upset_flips_one_bit_of_memory_back_and_forth():
    chip, _, _ = awake()
    chip.upset(0x1B, 4)
    assert chip.read(0x1B, 1) == b"\x10"
    chip.upset(0x1B, 4)
    assert chip.read(0x1B, 1) == b"\x00"


def test_upset_of_the_sleep_bit_stops_and_wakes_without_inventing_samples():
    chip, clock, _ = awake()
    chip.upset(0x6B, 6)
    clock.sleep_ns(1000 * MS)
    assert fifo_count(chip) == 0
    chip.upset(0x6B, 6)
    clock.sleep_ns(60 * MS)
    assert fifo_count(chip) == 36


def test_upset_of_the_divider_leaves_earlier_samples_at_the_old_rate():
    chip, clock, runs = awake()
    clock.sleep_ns(100 * MS)
    chip.upset(0x19, 0, at_ns=40 * MS)
    chip.read(0x75, 1)
    assert [(run.period_ns, run.count) for run in runs] == [(20 * MS, 2), (19 * MS, 3)]


def test_hung_chip_answers_without_sampling_until_it_is_reset():
    chip, clock, _ = awake()
    clock.sleep_ns(60 * MS)
    chip.hang(at_ns=40 * MS)
    clock.sleep_ns(1000 * MS)
    assert fifo_count(chip) == 24
    chip.write(0x6B, b"\x01")
    clock.sleep_ns(100 * MS)
    assert fifo_count(chip) == 24
    chip.write(0x6B, b"\x80")
    clock.sleep_ns(50 * MS)
    wake(chip)
    clock.sleep_ns(40 * MS)
    assert fifo_count(chip) == 24


@given(st.floats(-0.2, 0.2), st.integers(1, 3000))
def test_rate_error_of_the_oscillator_changes_the_spacing_of_samples(rate_error, count):
    chip, clock, runs = awake(rate_error=rate_error)
    clock.sleep_ns(count * 20 * MS)
    chip.read(0x75, 1)
    period_ns = 20 * MS / (1 + rate_error)
    taken = sum(run.count for run in runs)
    # One sample, and what the division rounds: 25 periods at +12 % are 28.000000000000004 samples.
    assert abs(taken - count * 20 * MS / period_ns) <= 1 + 1e-9
    assert all(abs(run.period_ns - period_ns) <= 0.5 for run in runs)


def test_oscillator_may_drift_during_a_run():
    chip, clock, runs = awake()
    clock.sleep_ns(100 * MS)
    chip.detune(0.25, at_ns=50 * MS)
    chip.read(0x75, 1)
    assert np.concatenate([run.times_ns for run in runs]).tolist() == [20 * MS, 40 * MS, 60 * MS, 76 * MS, 92 * MS]
    assert chip.rate_error == 0.25


@pytest.mark.parametrize("who_am_i", [0x98, 0x70])
def test_clone_answers_another_number(who_am_i):
    chip, _, _ = awake()
    chip.impersonate(who_am_i)
    chip.power_cycle()
    assert chip.read(0x75, 1)[0] == who_am_i
