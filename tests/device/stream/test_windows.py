import numpy as np
from hypothesis import given, strategies as st

from deseptr.device import WindowAssembler


def numbered(start, count):
    return np.arange(start, start + count, dtype=np.float32)[:, None].repeat(6, 1)


def assemble(window_length, hop_length, schedule):
    """Windows as (start, samples) of a stream cut into pieces; ``("gap", n)`` loses n samples."""
    assembler = WindowAssembler(window_length, hop_length)
    found = []
    for kind, count in schedule:
        if kind == "gap":
            assembler.gap(count)
        else:
            samples = numbered(assembler.received, count)
            found += [(w.start, w.end, w.samples[:, 0].tolist()) for w in assembler.push(samples)]
    return found


def expected(window_length, hop_length, segments):
    return [
        (start, start + window_length - 1, list(range(start, start + window_length)))
        for first, count in segments
        for start in range(first, first + count - window_length + 1, hop_length)
    ]


def test_window_k_starts_at_k_hops():
    assert [start for start, _, _ in assemble(4, 3, [("push", 14)])] == [0, 3, 6, 9]


@given(
    st.integers(1, 12),
    st.integers(1, 15),
    st.lists(st.tuples(st.sampled_from(["push", "push", "gap"]), st.integers(0, 40)), max_size=14),
)
def test_windows_are_those_of_each_segment_whatever_the_schedule(window_length, hop_length, schedule):
    segments, position = [[0, 0]], 0
    for kind, count in schedule:
        if kind == "gap":
            segments.append([position + count, 0])
        else:
            segments[-1][1] += count
        position += count
    assert assemble(window_length, hop_length, schedule) == expected(window_length, hop_length, segments)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_drain_schedule_does_not_matter(pieces):
    whole = assemble(8, 4, [("push", sum(pieces))])
    assert assemble(8, 4, [("push", count) for count in pieces]) == whole


def test_gap_without_known_loss_still_separates():
    assert assemble(4, 2, [("push", 3), ("gap", 0), ("push", 4)]) == [(3, 6, [3, 4, 5, 6])]
