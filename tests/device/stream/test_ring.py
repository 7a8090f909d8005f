import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.device import SampleRing


def numbered(start, count):
    return np.arange(start, start + count, dtype=np.float32)[:, None].repeat(6, 1)


@given(st.integers(1, 9), st.lists(st.integers(0, 25), max_size=12))
def test_latest_gives_the_newest_samples(capacity, pieces):
    ring = SampleRing(capacity)
    total = 0
    for count in pieces:
        ring.push(numbered(total, count))
        total += count
        assert len(ring) == min(total, capacity)
        for length in range(len(ring) + 1):
            assert ring.latest(length)[:, 0].tolist() == list(range(total - length, total))


def test_view_is_contiguous_and_not_writable():
    ring = SampleRing(4)
    ring.push(numbered(0, 7))
    view = ring.latest(4)
    assert view.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


def test_more_than_held_is_refused():
    ring = SampleRing(4)
    ring.push(numbered(0, 2))
    with pytest.raises(ValueError, match=r"length must be at most the 2 samples held\. Received: 3"):
        ring.latest(3)
    ring.clear()
    with pytest.raises(ValueError, match=r"length must be at most the 0 samples held\. Received: 1"):
        ring.latest(1)
