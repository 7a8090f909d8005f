import numpy as np
from hypothesis import given, strategies as st

from deseptr.data import Dataset, Recording, cut_windows
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


@st.composite
def drained_segments(draw):
    """Segments of samples, each with the sizes of the pieces in which it comes, and the samples lost before it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    segments = []
    for _ in range(draw(st.integers(1, 4))):
        pieces = draw(st.lists(st.integers(0, 25), min_size=1, max_size=8))
        signals = rng.normal(0, 5, (sum(pieces), 6)).astype(np.float32)
        segments.append((signals, pieces, draw(st.integers(0, 30))))
    return segments


def cut_offline(segments, window_length, hop_length, history):
    """The windows as training and evaluation cut them: each segment is a recording of its own."""
    kept = [signals for signals, _, _ in segments if len(signals)]
    recordings = tuple(Recording(signals, 50.0, "1", np.zeros(len(signals), np.int16)) for signals in kept)
    if not any(len(signals) >= window_length for signals in kept):
        return []
    windows = cut_windows(
        Dataset(recordings, ("any",)), window_length=window_length, hop_length=hop_length, rate_hz=50.0, history=history
    )
    return list(windows.signals)


@given(drained_segments(), st.integers(1, 12), st.integers(1, 15), st.integers(0, 40))
def test_windows_are_those_of_training_with_their_history(segments, window_length, hop_length, history):
    assembler = WindowAssembler(window_length, hop_length, history=history)
    made, firsts = [], []
    for signals, pieces, lost in segments:
        assembler.gap(lost)
        first = assembler.received
        for piece in np.split(signals, np.cumsum(pieces)[:-1]):
            for window in assembler.push(piece):
                made.append(window.samples.copy())
                firsts.append(window.start - first)
                assert (window.history, window.end - window.start) == (history, window_length - 1)
    offline = cut_offline(segments, window_length, hop_length, history)
    assert np.array_equal(made, offline)
    starts = [range(0, len(signals) - window_length + 1, hop_length) for signals, _, _ in segments]
    assert firsts == [start for each in starts for start in each]


def test_the_history_of_a_segment_is_its_first_sample():
    assembler = WindowAssembler(window_length=2, hop_length=1, history=3)
    made = [w.samples[:, 0].tolist() for w in assembler.push(numbered(10, 3))]
    assembler.gap(5)
    made += [w.samples[:, 0].tolist() for w in assembler.push(numbered(18, 2))]
    assert made == [[10, 10, 10, 10, 11], [10, 10, 10, 11, 12], [18, 18, 18, 18, 19]]


def test_gap_without_known_loss_still_separates():
    assert assemble(4, 2, [("push", 3), ("gap", 0), ("push", 4)]) == [(3, 6, [3, 4, 5, 6])]
