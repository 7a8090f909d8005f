import numpy as np
import pytest

from deseptr.train.augment import DroppedSamples


def test_one_run_of_all_channels_holds_the_value_before_it():
    ramp = np.arange(40, dtype=np.float32)[:, None] + np.array([0, 100], np.float32)
    dropped = np.asarray(DroppedSamples(0.2, rate=1.0, seed=1)(np.repeat(ramp[None], 256, axis=0), training=True))
    runs, starts = set(), set()
    for example in dropped:
        lost = np.flatnonzero(example[:, 0] != ramp[:, 0])
        np.testing.assert_array_equal(lost, np.arange(lost[0], lost[-1] + 1))
        np.testing.assert_array_equal(example[lost], np.repeat(ramp[lost[:1] - 1], len(lost), axis=0))
        np.testing.assert_array_equal(np.delete(example, lost, axis=0), np.delete(ramp, lost, axis=0))
        runs.add(len(lost))
        starts.add(lost[0])
    assert runs == set(range(1, 9))
    assert min(starts) == 1
    assert len(starts) > 25
    assert (dropped[:, -1, 0] < 39).any()


def test_shortest_run_is_one_sample_even_of_a_short_window():
    windows = np.random.default_rng(0).normal(size=(16, 5, 3)).astype(np.float32)
    dropped = np.asarray(DroppedSamples(0.01, rate=1.0, seed=1)(windows, training=True))
    np.testing.assert_array_equal((dropped != windows).any(axis=2).sum(axis=1), 1)


def test_impossible_fraction_is_refused():
    with pytest.raises(ValueError, match="Received: max_fraction=1"):
        DroppedSamples(1.0)
