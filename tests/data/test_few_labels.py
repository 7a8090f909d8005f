from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.data import Windows, cut_unlabelled, cut_windows, draw_labelled_subjects, load_dataset, subject_split
from deseptr.data.recording import without_labels

DATASET = load_dataset("synthetic:subjects=4,seconds=12")
CUT = {"window_length": 128, "hop_length": 64, "rate_hz": 50.0}


def windows_of(classes: list[set[int]]) -> Windows:
    """A window of each of the classes that each subject has."""
    rows = [(str(subject), label) for subject, labels in enumerate(classes) for label in sorted(labels)]
    count = np.zeros(len(rows), np.int64)
    return Windows(
        np.zeros((len(rows), 8, 6), np.float32),
        np.array([label for _, label in rows], np.int64),
        np.array([subject for subject, _ in rows], np.str_),
        count,
        count,
        tuple("abcde"),
        50.0,
    )


has_classes = st.lists(st.sets(st.integers(0, 4), min_size=1), min_size=2, max_size=7)


@given(classes=has_classes, data=st.data(), seed=st.integers(0, 2**31))
def test_as_many_classes_are_labelled_as_any_choice_has(classes: list[set[int]], data: st.DataObject, seed: int):
    windows, everyone = windows_of(classes), tuple(map(str, range(len(classes))))
    count = data.draw(st.integers(1, len(classes)))
    chosen = draw_labelled_subjects(windows, everyone, count, seed)
    assert len(set(chosen)) == count
    assert set(chosen) <= set(everyone)
    assert chosen == draw_labelled_subjects(windows, everyone, count, seed)
    most = max(len(set.union(*some)) for some in combinations(classes, count))
    assert len(set.union(*(classes[int(subject)] for subject in chosen))) == most


def test_every_subject_is_chosen_by_some_seed_and_only_among_the_given_ones():
    windows = windows_of([{0, 1}] * 6)
    drawn = [draw_labelled_subjects(windows, ("0", "2", "3", "5"), 2, seed) for seed in range(40)]
    assert {subject for chosen in drawn for subject in chosen} == {"0", "2", "3", "5"}


def test_another_set_of_subjects_is_another_draw():
    windows, names = windows_of([{0, 1}] * 8), tuple("01234567")
    drawn = {draw_labelled_subjects(windows, names[:6], 2, 0)}
    drawn |= {draw_labelled_subjects(windows, (*names[:6], last), 2, 0) for last in names[6:]}
    assert len(drawn) > 1


@pytest.mark.parametrize("count", [0, 3])
def test_another_number_than_there_are_subjects_with_labels_is_refused(count: int):
    with pytest.raises(DataError, match=rf"labelled subjects: found {count}, expected 1 to 2, .*choose fewer"):
        draw_labelled_subjects(windows_of([{0}, {1}]), ("0", "1", "unlabelled"), count, 0)


def test_unlabelled_windows_are_cut_whole_whatever_the_labels():
    long = load_dataset("synthetic:subjects=2,seconds=20")
    halves = tuple(
        replace(r, labels=np.where(np.arange(len(r)) < 300, r.labels, (r.labels + 1) % 6)) for r in long.recordings
    )
    cut = cut_unlabelled(halves, long.label_names, **CUT, history=31, margin=5)
    assert set(cut.labels.tolist()) == {-1}
    assert cut.label_names == long.label_names
    assert sum(cut.counts().values()) == 0
    same = cut_windows(long, **CUT, history=31, margin=5)
    assert cut.signals.tobytes() == same.signals.tobytes()
    assert cut.subjects.tolist() == same.subjects.tolist()
    assert len(cut_windows(replace(long, recordings=halves), **CUT)) < len(same)


def test_unlabelled_recordings_shorter_than_a_window_are_refused():
    short = [replace(r, signals=r.signals[:100], labels=r.labels[:100]) for r in DATASET.recordings]
    with pytest.raises(DataError, match="unlabelled recordings: found a longest one of 100 samples at 50 Hz"):
        cut_unlabelled(short, DATASET.label_names, **CUT)


def test_parts_follow_each_other():
    windows = cut_windows(DATASET, **CUT)
    one, two = windows.of_subjects(["3"]), windows.of_subjects(["1", "2"])
    joined = one.followed_by(two)
    assert joined.subjects.tolist() == one.subjects.tolist() + two.subjects.tolist()
    assert joined.take(np.arange(len(one), len(joined))).signals.tobytes() == two.signals.tobytes()


def test_recordings_of_another_dataset_lose_their_labels():
    other = load_dataset("synthetic:subjects=2,seconds=4,seed=3")
    more = DATASET.with_unlabelled(other)
    assert more.recordings == DATASET.recordings
    assert [r.signals.tobytes() for r in more.unlabelled] == [r.signals.tobytes() for r in other.recordings]
    assert {label for r in more.unlabelled for label in r.labels.tolist()} == {-1}
    assert more.select(labels=["walking", "sitting"], subjects=["1", "2"]).unlabelled == more.unlabelled
    assert repr(more).endswith("jogging, 12 unlabelled recordings)")


def test_who_has_no_label_is_neither_tested_nor_chosen_for_validation():
    silent = ("1", "3")
    recordings = tuple(without_labels(r) if r.subject in silent else r for r in DATASET.recordings)
    dataset = replace(DATASET, recordings=recordings, test_subjects=())
    assert dataset.labelled_subjects == ("2", "4")
    with pytest.raises(DataError, match="1 of 2 subjects held out"):
        subject_split(dataset)
    several = load_dataset("synthetic:subjects=8,seconds=4")
    recordings = tuple(without_labels(r) if r.subject in silent else r for r in several.recordings)
    for seed in range(8):
        split = subject_split(replace(several, recordings=recordings, test_subjects=()), validation=0.5, seed=seed)
        assert set(silent) <= set(split.train)
        assert len(split.train) + len(split.validation) + len(split.test) == 8
