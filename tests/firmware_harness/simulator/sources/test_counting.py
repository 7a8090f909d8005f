import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.simulator import (
    CoarseCountingSource,
    ConstantSource,
    CountingSource,
    RecordingSource,
    SineSource,
    counted_ticks,
    counted_times,
)
from deseptr.firmware_harness.simulator.sources.counting import COARSE_STEP, coarse_ticks

G = 9.80665
WEEK_NS = 7 * 86_400 * 10**9
times = st.lists(st.integers(0, WEEK_NS), min_size=1, max_size=50).map(lambda values: np.array(values, np.int64))
# Counts a g and counts a degree a second, of the MPU and the LSM6DS families.
scales = st.tuples(
    st.sampled_from([16384, 8192, 4096, 2048, 1 / 0.061e-3, 1 / 0.488e-3]),
    st.sampled_from([131, 65.5, 32.8, 16.4, 1 / 8.75e-3, 1 / 70e-3]),
)


def through_counts(signals, acc_per_g, gyro_per_dps, read_as=None):
    """As a chip rounds and saturates it at one full scale, and a driver takes it, perhaps for another."""
    made = np.array([acc_per_g / G] * 3 + [gyro_per_dps * 180 / np.pi] * 3)
    acc_read, gyro_read = read_as or (acc_per_g, gyro_per_dps)
    read = np.array([acc_read / G] * 3 + [gyro_read * 180 / np.pi] * 3)
    counts = np.rint(signals * made)
    assert (np.abs(counts) <= 32767).all()
    return (counts / read).astype(np.float32)


@given(times, scales)
def test_times_survive_every_full_scale(times_ns, scale):
    assert (counted_times(through_counts(CountingSource().at(times_ns), *scale)) == times_ns).all()


@given(st.integers(0, WEEK_NS), scales, st.sampled_from([2, 4, 8, 0.5, 0.25, 0.125]), st.booleans(), st.booleans())
def test_wrong_scale_is_detected(begin_ns, scale, factor, acc, gyro):
    times_ns = begin_ns + np.arange(400) * 20_000_000
    read_as = (scale[0] * (factor if acc else 1), scale[1] * (factor if gyro else 1))
    found = counted_times(through_counts(CountingSource().at(times_ns), *scale, read_as))
    if acc or gyro:
        assert (found == times_ns).sum() <= 4
    else:
        assert (found == times_ns).all()


@pytest.mark.parametrize("bit", range(15))
@pytest.mark.parametrize("channel", range(6))
def test_one_wrong_bit_never_gives_another_time_unnoticed(bit, channel):
    times_ns = 3 * 10**14 + np.arange(300) * 20_000_000
    lsb = np.array([G / 4096] * 3 + [np.deg2rad(1) / 32.8] * 3)
    counts = np.rint(CountingSource().at(times_ns) / lsb).astype(np.int64)
    counts[:, channel] ^= 1 << bit
    found = counted_times((counts * lsb).astype(np.float32))
    # A low bit may be lost in rounding; nine times out of a thousand a checksum fits by chance.
    assert ((found == times_ns) | (found == -1)).mean() > 0.98


@pytest.mark.parametrize("source", [ConstantSource([0, 0, G, 0, 0, 0]), SineSource(1.3, [3] * 3 + [1] * 3)])
def test_other_signals_are_not_genuine(source):
    signals = source.at(np.arange(500) * 20_000_000).astype(np.float32)
    assert (counted_times(signals) == -1).mean() > 0.98


def test_interpolated_samples_are_not_genuine(make_recording):
    source = RecordingSource(make_recording(100))
    assert (counted_times(source.at(np.arange(90) * 19_000_000).astype(np.float32)) == -1).all()


def test_a_corrupted_sample_has_no_time():
    signals = CoarseCountingSource().at(np.arange(50) * 20_000_000).astype(np.float32)[:, :3]
    ticks = counted_ticks(signals)
    assert ticks.tolist() == coarse_ticks(np.arange(50) * 20_000_000).tolist()
    # Another step of the grid, which the checksum tells, and a value between two.
    for axis in range(3):
        for changed in (1, -1, 0.5):
            wrong = signals.copy()
            wrong[7, axis] += changed * COARSE_STEP
            assert counted_ticks(wrong)[7] == -1
            assert (np.delete(counted_ticks(wrong), 7) == np.delete(ticks, 7)).all()


def test_coarse_ticks_are_of_four_milliseconds_and_begin_again_after_nine_minutes():
    tick, turn = 4_194_304, 549_755_813_888
    times_ns = np.array([0, tick - 1, tick, turn - 1, turn, turn + 5 * tick, 100 * turn + 7 * tick])
    assert coarse_ticks(times_ns).tolist() == [0, 0, 1, 131_071, 0, 5, 7]
    late = 100 * turn + 7 * tick + np.arange(50) * 20_000_000
    source = CoarseCountingSource()
    assert source.times_of(source.at(late).astype(np.float32)[:, :3]).tolist() == late.tolist()
