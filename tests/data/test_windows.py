from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, Recording, cut_windows, load_dataset, resample

RUNS = st.lists(st.tuples(st.integers(-1, 2), st.integers(1, 40)), min_size=1, max_size=8)


def _dataset(recordings: list[list[tuple[int, int]]]) -> Dataset:
    """Recordings whose first channel counts the samples of the whole dataset, so that a window shows its position."""
    made, first = [], 0
    for number, runs in enumerate(recordings):
        labels = np.concatenate([np.full(length, label, np.int16) for label, length in runs])
        signals = np.zeros((len(labels), 6), np.float32)
        signals[:, 0] = np.arange(first, first + len(labels))
        first += len(labels)
        made.append(Recording(signals, 50.0, str(number), labels))
    return Dataset(tuple(made), ("a", "b", "c"))


@given(recordings=st.lists(RUNS, min_size=1, max_size=3), length=st.integers(1, 12), hop=st.integers(1, 12))
def test_windows_never_cross_a_border_and_none_is_missing(
    recordings: list[list[tuple[int, int]]], length: int, hop: int
) -> None:
    dataset = _dataset(recordings)
    runs = [(r, s) for r, rec in enumerate(dataset.recordings) for s in rec.segments() if s.label >= 0]
    expected = [(r, start) for r, s in runs for start in range(s.start, s.stop - length + 1, hop)]
    assume(expected)
    windows = cut_windows(dataset, window_length=length, hop_length=hop, rate_hz=50.0)
    assert list(zip(windows.recording.tolist(), windows.start.tolist(), strict=True)) == expected
    assert len(windows) == sum(max(0, (s.stop - s.start - length) // hop + 1) for _, s in runs)
    for window in range(len(windows)):
        recording = dataset.recordings[windows.recording[window]]
        part = slice(windows.start[window], windows.start[window] + length)
        assert set(recording.labels[part].tolist()) == {windows.labels[window]}
        assert np.array_equal(windows.signals[window], recording.signals[part])
        assert windows.subjects[window] == recording.subject


@given(recordings=st.lists(RUNS, min_size=1, max_size=3), history=st.integers(0, 50), hop=st.integers(1, 12))
def test_history_is_what_came_before_in_the_recording(
    recordings: list[list[tuple[int, int]]], history: int, hop: int
) -> None:
    dataset = _dataset(recordings)
    assume(any(s.label >= 0 and s.stop - s.start >= 5 for rec in dataset.recordings for s in rec.segments()))
    plain = cut_windows(dataset, window_length=5, hop_length=hop, rate_hz=50.0)
    windows = cut_windows(dataset, window_length=5, hop_length=hop, rate_hz=50.0, history=history)
    assert windows.signals.shape == (len(plain), history + 5, 6)
    assert np.array_equal(windows.own_signals, plain.signals)
    assert np.array_equal(windows.start, plain.start)
    assert np.array_equal(windows.labels, plain.labels)
    for window, number in enumerate(windows.recording):
        signals = dataset.recordings[number].signals
        before = [signals[max(0, windows.start[window] - back)] for back in range(history, 0, -1)]
        assert np.array_equal(windows.signals[window, :history], np.reshape(before, (history, 6)))


def test_history_is_kept_when_windows_are_chosen(synthetic: Dataset) -> None:
    windows = cut_windows(synthetic, window_length=100, hop_length=100, rate_hz=50.0, history=31)
    chosen = windows.of_subjects(["3"])
    assert chosen.signals.shape[1:] == (131, 6)
    assert chosen.own_signals.shape[1:] == (100, 6)


def test_a_negative_history_is_refused(synthetic: Dataset) -> None:
    with pytest.raises(DataError, match="history: found -1"):
        cut_windows(synthetic, window_length=100, hop_length=100, rate_hz=50.0, history=-1)


def test_types_and_counts(synthetic: Dataset) -> None:
    windows = cut_windows(synthetic, window_length=128, hop_length=64, rate_hz=50.0)
    assert windows.signals.dtype == np.float32
    assert windows.labels.dtype == np.int64
    assert windows.signals.shape == (4 * 6 * ((500 - 128) // 64 + 1), 128, 6)
    assert windows.counts() == dict.fromkeys(synthetic.label_names, 4 * 6)


def test_label_names_choose_and_order_the_classes() -> None:
    dataset = _dataset([[(0, 10), (1, 20), (2, 30)]])
    windows = cut_windows(dataset, window_length=10, hop_length=10, rate_hz=50.0, label_names=("c", "a"))
    assert windows.labels.tolist() == [1, 0, 0, 0]
    assert windows.start.tolist() == [0, 30, 40, 50]
    with pytest.raises(DataError, match="label z"):
        cut_windows(dataset, window_length=10, hop_length=10, rate_hz=50.0, label_names=("z",))


def test_another_rate_is_resampled_before_cutting(make_recording) -> None:
    recording = make_recording([0] * 400, rate_hz=100.0)
    windows = cut_windows(Dataset((recording,), ("a",)), window_length=50, hop_length=50, rate_hz=50.0)
    assert windows.rate_hz == 50.0
    assert np.array_equal(windows.signals.reshape(-1, 6), resample(recording, 50.0).signals)


def test_take_and_of_subjects_keep_rows_together(synthetic: Dataset) -> None:
    windows = cut_windows(synthetic, window_length=100, hop_length=100, rate_hz=50.0)
    chosen = windows.of_subjects(["3"])
    assert set(chosen.subjects) == {"3"}
    assert np.array_equal(chosen.signals, windows.signals[windows.subjects == "3"])
    assert np.array_equal(chosen.labels, windows.labels[windows.subjects == "3"])


def test_an_empty_class_is_named() -> None:
    windows = cut_windows(_dataset([[(0, 30), (2, 30), (1, 3)]]), window_length=10, hop_length=10, rate_hz=50.0)
    with pytest.raises(DataError, match="class b: found no sample"):
        windows.check_classes()
    cut_windows(_dataset([[(0, 30), (2, 30), (1, 30)]]), window_length=10, hop_length=10, rate_hz=50.0).check_classes()


def test_without_windows_the_error_names_the_longest_run() -> None:
    with pytest.raises(DataError, match=r"longest labelled run of 9 samples, expected .* 10 samples"):
        cut_windows(_dataset([[(0, 9), (-1, 30)]]), window_length=10, hop_length=5, rate_hz=50.0)
    with pytest.raises(DataError, match="no labelled sample"):
        cut_windows(_dataset([[(-1, 30)]]), window_length=10, hop_length=5, rate_hz=50.0)


@pytest.mark.parametrize("lengths", [(0, 5), (5, 0), (5, -1)])
def test_lengths_must_be_positive(synthetic: Dataset, lengths: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="_length"):
        cut_windows(synthetic, window_length=lengths[0], hop_length=lengths[1], rate_hz=50.0)


@pytest.mark.real_data
@pytest.mark.parametrize(("labels", "train", "test"), [(12, 7767, 3162), (6, 7415, 2996)])
def test_hapt_gives_the_official_windows(real_file, labels: int, train: int, test: int) -> None:
    dataset = load_dataset(real_file("hapt.npz"))
    names = dataset.label_names[:labels]
    windows = cut_windows(dataset, window_length=128, hop_length=64, rate_hz=50.0, label_names=names)
    held_out = np.isin(windows.subjects, dataset.test_subjects)
    assert ((~held_out).sum(), held_out.sum()) == (train, test)
