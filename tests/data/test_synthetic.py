from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from deseptr.contract import STANDARD_GRAVITY as G, DataError
from deseptr.data import Dataset, cut_windows, describe, load_dataset, synthetic_dataset, synthetic_day

LABELS = ("downstairs", "upstairs", "sitting", "standing", "walking", "jogging")


def test_the_shape_of_the_dataset(synthetic: Dataset) -> None:
    assert synthetic.label_names == LABELS
    assert synthetic.subjects == ("1", "2", "3", "4")
    assert synthetic.test_subjects == ("4",)
    assert {(len(r), r.rate_hz) for r in synthetic.recordings} == {(500, 50.0)}
    # The phone is put into the pocket anew for each trial, at times the other way up.
    assert all("gravity points elsewhere" in oddity for oddity in describe(synthetic).oddities)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(synthetic: Dataset) -> None:
    again = synthetic_dataset(subjects=4, seconds=10.0, seed=3)
    other = synthetic_dataset(subjects=4, seconds=10.0, seed=4)
    for first, second, third in zip(synthetic.recordings, again.recordings, other.recordings, strict=True):
        assert np.array_equal(first.signals, second.signals)
        assert not np.array_equal(first.signals, third.signals)


def test_the_signals_are_those_that_published_figures_were_measured_on() -> None:
    # Sample 150 of the first wearer's activities, in the order of LABELS; another numpy may round differently.
    expected = [
        [0.392, 13.137, -7.529, -1.991, 0.235, 0.617],
        [1.007, -7.898, 0.356, -1.185, -0.204, -0.040],
        [0.746, 2.988, -9.591, -0.009, 0.005, 0.019],
        [-0.846, 9.626, 0.082, 0.023, -0.012, -0.003],
        [0.003, 11.728, -3.361, 3.142, -0.405, 0.624],
        [6.753, 8.905, -8.173, -3.471, 1.084, -1.056],
    ]
    found = [recording.signals[150] for recording in synthetic_dataset(subjects=1, seconds=6.0).recordings]
    np.testing.assert_allclose(found, expected, atol=2e-3)
    # Standard deviations over a time that has landings on the stairs.
    expected = [
        [1.800, 3.261, 4.171, 1.973, 0.367, 0.848],
        [0.944, 2.449, 2.212, 1.782, 0.506, 0.379],
        [0.450, 0.409, 0.405, 0.105, 0.031, 0.046],
        [0.557, 0.263, 1.528, 0.101, 0.041, 0.056],
        [0.982, 1.873, 2.100, 2.031, 0.393, 0.268],
        [2.539, 6.110, 6.036, 3.115, 1.008, 0.342],
    ]
    found = [recording.signals.std(0) for recording in synthetic_dataset(subjects=1, seconds=40.0).recordings]
    np.testing.assert_allclose(found, expected, atol=2e-3)
    expected = [[3.095, 8.659, -3.526, 0.028, -0.011, 0.025], [2.606, 8.618, -3.656, 0.012, 0.039, 0.013]]
    np.testing.assert_allclose(synthetic_day(seconds=40.0).signals[[300, 1500]], expected, atol=2e-3)


def test_a_subject_is_the_same_among_however_many(synthetic: Dataset) -> None:
    alone = synthetic_dataset(subjects=2, seconds=10.0, seed=3)
    for first, second in zip(alone.recordings, synthetic.recordings, strict=False):
        assert np.array_equal(first.signals, second.signals)


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 104.0, 500.0])
def test_rest_shows_only_gravity_and_bias_at_any_rate(rate_hz: float) -> None:
    dataset = synthetic_dataset(subjects=3, seconds=20.0, rate_hz=rate_hz)
    for recording in dataset.recordings:
        if LABELS[recording.labels[0]] in ("sitting", "standing"):
            assert np.median(np.linalg.norm(recording.signals[:, :3], axis=1)) == pytest.approx(G, abs=0.3)
            assert np.median(np.abs(recording.signals[:, 3:])) < 0.1


def test_going_has_the_cadence_of_people() -> None:
    for recording in synthetic_dataset(subjects=3, seconds=40.0).recordings:
        name = LABELS[recording.labels[0]]
        if name in ("sitting", "standing"):
            continue
        frequencies = np.fft.rfftfreq(len(recording), 1 / recording.rate_hz)
        rate = np.linalg.norm(np.fft.rfft(recording.signals[:, 3:], axis=0), axis=1)
        # The leg's angle, not its rate, in which a higher harmonic may be the largest.
        angle = np.where(frequencies > 0.4, rate / np.maximum(frequencies, 0.4), 0)
        low, high = (1.0, 1.6) if name == "jogging" else (0.65, 1.15)
        assert low < frequencies[np.argmax(angle)] < high, (recording.title, name)


def test_twelve_minutes_of_twelve_subjects_are_made_in_seconds() -> None:
    # Processor time, which does not depend on other work on the machine.
    start = time.process_time()
    synthetic_dataset(subjects=12, seconds=60.0)
    # 0.5 s on one idle core; the margin is for a slow one.
    assert time.process_time() - start < 5


def _means_and_deviations(signals: np.ndarray) -> np.ndarray:
    return np.hstack([signals.mean(1), signals.std(1)])


def _rich(signals: np.ndarray) -> np.ndarray:
    norms = [np.linalg.norm(signals[..., part], axis=2, keepdims=True) for part in (slice(0, 3), slice(3, 6))]
    tracks = np.concatenate([signals, *norms], 2)
    spectrum = np.abs(np.fft.rfft(tracks - tracks.mean(1, keepdims=True), axis=1))[:, :24].reshape(len(signals), -1)
    quantiles = np.quantile(tracks, [0, 0.1, 0.5, 0.9, 1], axis=1).transpose(1, 0, 2).reshape(len(signals), -1)
    joint = np.stack([np.corrcoef(window.T)[np.triu_indices(6, 1)] for window in signals])
    return np.hstack([_means_and_deviations(tracks), spectrum, quantiles, joint])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_task_needs_learning(seed: int) -> None:
    dataset = synthetic_dataset(subjects=12, seconds=60.0, seed=seed)
    windows = cut_windows(dataset, window_length=128, hop_length=64, rate_hz=50.0)
    test = np.isin(windows.subjects, dataset.test_subjects)
    train, held_out = windows.take(~test), windows.take(test)

    scaler = StandardScaler().fit(_means_and_deviations(train.signals))
    centroids = NearestCentroid().fit(scaler.transform(_means_and_deviations(train.signals)), train.labels)
    trivial = centroids.score(scaler.transform(_means_and_deviations(held_out.signals)), held_out.labels)
    forest = RandomForestClassifier(40, min_samples_leaf=2, random_state=0)
    rich = forest.fit(_rich(train.signals), train.labels).score(_rich(held_out.signals), held_out.labels)

    assert 0.45 < trivial < 0.85
    assert trivial + 0.15 < rich < 0.98


def test_a_day_goes_through_every_activity_with_unlabelled_transitions() -> None:
    day = synthetic_day("2", seed=3, seconds=8.0)
    segments = list(day.segments())
    labels = [segment.label for segment in segments]
    assert labels[0] == labels[-1] == -1
    assert {LABELS[label] for label in labels if label >= 0} == set(LABELS)
    assert all((a < 0) != (b < 0) for a, b in itertools.pairwise(labels))
    assert {s.stop - s.start for s in segments if s.label >= 0} == {400}
    assert {s.stop - s.start for s in segments if s.label < 0} == {100}
    jumps = np.abs(np.diff(day.signals[:, 3:], axis=0)).max()
    assert jumps < 6, "a transition without a cross-fade would turn the leg within a sample"


def test_a_day_is_another_trial_of_the_same_person() -> None:
    first, second = synthetic_day(2, seed=3, seconds=4.0), synthetic_day("2", seed=3, seconds=4.0)
    assert first.subject == second.subject == "2"
    assert np.array_equal(first.signals, second.signals)
    assert not np.array_equal(first.signals, synthetic_day(3, seed=3, seconds=4.0).signals)


def test_options_in_the_name() -> None:
    dataset = load_dataset("synthetic:subjects=2,seconds=4,seed=9,rate_hz=25")
    expected = synthetic_dataset(2, 4.0, 9, 25.0)
    assert len(dataset.recordings) == 12
    assert all(
        np.array_equal(a.signals, b.signals) for a, b in zip(dataset.recordings, expected.recordings, strict=True)
    )


@pytest.mark.parametrize(
    "text",
    [
        "synthetic:subjects=0",
        "synthetic:subjects=two",
        "synthetic:people=3",
        "synthetic:seconds",
        "synthetic:seed=-1",
        "synthetic:seconds=nan",
        "synthetic:rate_hz=0",
        "synthetic:seconds=0.01",
    ],
)
def test_options_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="synthetic"):
        load_dataset(text)


def test_more_samples_than_memory_should_hold_are_refused_before_any_is_made() -> None:
    with pytest.raises(DataError, match="found 16,777,500 samples in all, expected at most 16,777,216; choose fewer"):
        synthetic_dataset(subjects=1, seconds=55_925)


def test_an_impossible_subject_is_refused() -> None:
    with pytest.raises(DataError, match="synthetic subject anna"):
        synthetic_day("anna")
    with pytest.raises(DataError, match="subjects"):
        synthetic_day(0)
