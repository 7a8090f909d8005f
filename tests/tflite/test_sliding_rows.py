import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.tflite.sliding_rows import SlidingRows


@given(st.integers(1, 5), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60))
def test_the_last_rows_are_those_pushed_last(capacity, pushes):
    rows = SlidingRows(capacity, (2,), np.dtype(np.int32))
    kept: dict[int, int] = {}
    value = 0
    for wanted, skipped in pushes:
        count = min(wanted, capacity)
        first = rows.end + (skipped if skipped == 3 else 0)
        if first != rows.end:
            kept.clear()
        values = np.arange(value, value + count)
        rows.push(first, np.repeat(values[:, None], 2, axis=1))
        kept |= dict(enumerate(values.tolist(), first))
        value += count
        end = first + count
        assert rows.end == end
        for begin in range(max(0, end - capacity), end):
            if all(number in kept for number in range(begin, end)):
                expected = [[kept[number]] * 2 for number in range(begin, end)]
                assert rows.rows(begin, end - begin).tolist() == expected


def test_forgotten_rows_begin_with_number_0():
    rows = SlidingRows(2, (1,), np.dtype(np.int8))
    rows.push(7, np.ones((2, 1), np.int8))
    rows.clear()
    assert rows.end == 0
    rows.push(0, np.full((1, 1), 3, np.int8))
    assert rows.rows(0, 1).tolist() == [[3]]


def test_wider_values_within_the_range_are_taken():
    rows = SlidingRows(2, (1,), np.dtype(np.int8))
    rows.push(0, np.array([[-128.0], [127.0]], np.float32))
    assert rows.rows(0, 2).tolist() == [[-128], [127]]


@pytest.mark.parametrize("first", [0, 3, 1000])
def test_rows_remain_when_the_block_is_full_again_and_again(first):
    rows = SlidingRows(4, (1,), np.dtype(np.int32))
    for number in range(first, first + 100):
        rows.push(number, np.full((1, 1), number, np.int32))
        kept = range(max(first, number - 3), number + 1)
        assert rows.rows(kept.start, len(kept))[:, 0].tolist() == list(kept)
