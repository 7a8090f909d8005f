import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.cli.device.motion_strip import CELL_S, LEVELS, MotionStrip
from deseptr.contract import CHANNELS
from deseptr.device.drained import Drained

RATE_HZ = 50.0


def feed(signals, parts):
    """A strip of signals that come in reads of these lengths."""
    strip, begun = MotionStrip(), 0
    for length in [*parts, len(signals)]:
        strip.take(Drained(begun / RATE_HZ, signals[begun : begun + length], CHANNELS, RATE_HZ))
        begun = min(len(signals), begun + length)
    return strip


@given(parts=st.lists(st.integers(0, 40), max_size=20), seed=st.integers(0, 9))
def test_cells_do_not_depend_on_the_reads(parts, seed):
    signals = np.random.default_rng(seed).normal(0, 8, (200, 6)).astype(np.float32)
    strengths = np.linalg.norm(signals[:, :3], axis=1)
    cells = (np.arange(200) / RATE_HZ // CELL_S).astype(int)
    largest = [strengths[cells == cell].max() for cell in range(cells[-1] + 1)]
    strip = feed(signals, parts)
    assert strip.strongest == pytest.approx(largest[-1], rel=1e-5)
    line = strip.sparkline(1000)
    assert len(line) == len(largest)
    assert line[int(np.argmax(largest))] == max(line)
    assert len(strip.sparkline(3)) == 3


def test_the_strip_is_as_high_as_its_strongest_cell():
    signals = np.zeros((100, 6), np.float32)
    signals[:, 2] = 9.8
    assert set(feed(signals, []).sparkline(80)) == {"▄"}
    signals[60, 2] = 78.4
    line = feed(signals, []).sparkline(80)
    assert line[4] == LEVELS[-1]
    assert set(line[:4] + line[5:]) == {LEVELS[1]}


def test_the_mean_follows_a_turn_within_seconds_and_passes_over_steps():
    strip = MotionStrip()
    assert strip.gravity is None
    standing = np.tile(np.float32([9.8, 0, 0, 0, 0, 0]), (250, 1))
    standing[::25, 0] += 5
    strip.take(Drained(0.0, standing, CHANNELS, RATE_HZ))
    assert strip.gravity == "x 10.0, y 0.0, z 0.0 m/s²"
    lying = np.tile(np.float32([0, 0, -9.8, 0, 0, 0]), (250, 1))
    strip.take(Drained(5.0, lying, CHANNELS, RATE_HZ))
    assert strip.gravity == "x 0.1, y 0.0, z -9.7 m/s²"
    strip.begin_again()
    assert (strip.gravity, strip.strongest, strip.sparkline(80)) == (None, None, "")
