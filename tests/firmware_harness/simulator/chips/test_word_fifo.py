import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.simulator.chips.word_fifo import WordFifo


def words(first, count, size=7):
    return b"".join(bytes((number % 256,)) * size for number in range(first, first + count))


def test_a_word_leaves_the_fifo_with_its_last_byte():
    fifo = WordFifo(7)
    assert not fifo.push(words(1, 2), 512)
    assert fifo.read(6) == bytes((1,)) * 6
    assert len(fifo) == 2
    assert fifo.read(7) == bytes((1,)) * 7
    assert len(fifo) == 1
    assert (fifo.read_byte(5), len(fifo), fifo.read_byte(6), len(fifo)) == (2, 1, 2, 0)


@pytest.mark.parametrize(("repeats_last", "expected"), [(False, b"\0\0\0\0"), (True, b"\x03\x03\x03\x03")])
def test_empty(repeats_last, expected):
    fifo = WordFifo(2, repeats_last=repeats_last)
    assert fifo.read(2) == b"\0\0"
    fifo.push(words(2, 2, 2), 8)
    assert fifo.read(8) == b"\x02\x02\x03\x03" + expected


def test_overflow_drops_the_oldest_and_is_reported():
    fifo = WordFifo(7)
    assert not fifo.push(words(0, 512), 512)
    assert fifo.push(words(512, 3), 512)
    assert (len(fifo), fifo.gone, fifo.read(7)) == (512, 3, bytes((3,)) * 7)


def test_nothing_pushed_is_no_overflow_though_the_depth_has_shrunk():
    fifo = WordFifo(7)
    fifo.push(words(0, 10), 512)
    assert not fifo.push(b"", 4)
    assert len(fifo) == 10
    assert fifo.push(words(10, 1), 4)
    assert len(fifo) == 4


@given(
    st.lists(st.one_of(st.tuples(st.just("push"), st.integers(0, 40)), st.tuples(st.just("read"), st.integers(0, 90))))
)
def test_words_leave_in_order_and_all_are_counted(steps):
    fifo = WordFifo(2)
    held, pushed = [], 0
    for what, count in steps:
        if what == "push":
            fifo.push(words(pushed, count, 2), 32)
            held = [*held, *range(pushed, pushed + count)][-32:]
            pushed += count
        else:
            expected = b"".join(bytes((number % 256,)) * 2 for number in held)
            assert fifo.read(count)[: len(expected)] == expected[:count]
            held = held[count // 2 :]
        assert len(fifo) == len(held)
        assert fifo.gone == pushed - len(held)
