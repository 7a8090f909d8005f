import numpy as np

from deseptr.train.augment import Mixup


def test_targets_are_mixed_in_the_share_of_the_windows():
    """Window i is the constant i: what a mixed one is, and of which classes its target says it is, are one share."""
    windows = np.repeat(np.arange(4, dtype=np.float32), 10).reshape(4, 10, 1)
    mixed, targets = (np.asarray(each) for each in Mixup(rate=1.0, seed=3)(windows, np.eye(4), training=True))
    for example, neighbour in ((1, 0), (2, 1), (3, 2)):
        share = example - mixed[example, 0, 0]
        assert 0 < share < 0.5
        expected = np.eye(4)[example] * (1 - share) + np.eye(4)[neighbour] * share
        np.testing.assert_allclose(targets[example], expected, atol=1e-6)
    assert 0 < mixed[0, 0, 0] < 1.5
    np.testing.assert_allclose(targets[0], [1 - mixed[0, 0, 0] / 3, 0, 0, mixed[0, 0, 0] / 3], atol=1e-6)


def test_an_example_that_is_not_chosen_keeps_window_and_target():
    windows = np.ones((64, 5, 2), np.float32) * np.arange(64, dtype=np.float32)[:, None, None]
    mixed, targets = (np.asarray(each) for each in Mixup(rate=0.5, seed=1)(windows, np.eye(64), training=True))
    same = (mixed == windows).all(axis=(1, 2))
    assert 12 <= same.sum() <= 52
    np.testing.assert_array_equal(targets[same], np.eye(64)[same])
