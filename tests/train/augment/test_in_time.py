"""The layers that use real samples around a window, and mixup."""

import numpy as np
import pytest

from deseptr.train.augment import Augmentation, Mixup, SampleShift, TimeWarp
from deseptr.train.window_front_end import WindowScale


def ramp(count: int = 64, length: int = 60) -> np.ndarray:
    """The value of each sample is its index, so that a shift can be read off."""
    return np.broadcast_to(np.arange(length, dtype=np.float32)[None, :, None], (count, length, 6)).copy()


def test_shift_cuts_whole_windows_at_every_place():
    shifted = np.asarray(SampleShift(5, seed=0)(ramp(400), training=True))
    assert shifted.shape == (400, 50, 6)
    first = shifted[:, 0, 0]
    np.testing.assert_array_equal(shifted, first[:, None, None] + ramp(400, 50))
    counts = np.bincount(first.astype(int), minlength=11)
    assert len(counts) == 11
    assert counts.min() > 15


def test_outside_training_the_middle_is_cut():
    np.testing.assert_array_equal(SampleShift(5)(ramp(2)), ramp(2)[:, 5:55])


def test_warp_moves_the_inside_and_keeps_the_ends():
    warped = np.asarray(TimeWarp(8.0, rate=1.0, seed=0)(ramp(200), training=True))[..., 0]
    displacement = warped - np.arange(60)
    np.testing.assert_allclose(displacement[:, [0, -1]], 0, atol=1e-4)
    assert 7 < np.abs(displacement).max() <= 8
    assert (np.diff(warped, axis=1) > 0).all()
    place = np.abs(displacement).argmax(axis=1)
    assert 59 / 3 - 1 <= place.min() < place.max() <= 59 * 5 / 6 + 1


def test_half_of_the_windows_are_warped():
    warped = np.asarray(TimeWarp(8.0, seed=0)(ramp(400), training=True))
    changed = (np.abs(warped - ramp(400)) > 1e-3).any((1, 2))
    assert 0.4 < changed.mean() < 0.6


def test_mixup_mixes_windows_and_targets_alike():
    windows = np.arange(8, dtype=np.float32)[:, None, None] + np.zeros((8, 10, 6), np.float32)
    mixed, targets = Mixup(rate=1.0, seed=0)(windows, np.eye(8, dtype=np.float32), training=True)
    values, targets = np.asarray(mixed), np.asarray(targets)
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(values[:, 0, 0], targets @ np.arange(8), rtol=1e-5, atol=1e-5)
    share = 1 - targets[np.arange(8), np.arange(8)]
    assert 0 < share.min() < share.max() <= 0.5
    np.testing.assert_allclose(targets[np.arange(8), np.arange(8) - 1], share, atol=1e-6)


@pytest.mark.parametrize("layer", [SampleShift(3, seed=1), TimeWarp(4.0, seed=1), Mixup(seed=1)])
def test_config_round_trip(layer):
    clone = type(layer).from_config(layer.get_config())
    arguments = (ramp(4), np.eye(4, dtype=np.float32)) if isinstance(layer, Mixup) else (ramp(4),)
    found, expected = (made(*arguments, training=True) for made in (clone, layer))
    pairs = zip(found, expected, strict=True) if isinstance(layer, Mixup) else [(found, expected)]
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("make", "argument"), [(TimeWarp, {"max_samples": -1}), (Mixup, {"max_share": 1.5})])
def test_sizes_out_of_range_are_refused(make, argument: dict):
    with pytest.raises(ValueError, match="must"):
        make(**argument)


def test_the_augmentation_cuts_margins_off_whether_or_not_it_trains():
    front_end = WindowScale([100.0] * 6)
    augmentation = Augmentation(
        front_end, [0.0] * 6, 0.0, rotation_degrees=0.0, shift_samples=5, time_warp_samples=4, mixup_rate=0.5
    )
    assert augmentation.window_shape((None, 60, 6)) == (None, 50, 6)
    targets = np.eye(8, dtype=np.float32)
    calm, same = augmentation(ramp(8), targets)
    np.testing.assert_array_equal(calm, front_end(ramp(8)[:, 5:55]))
    np.testing.assert_array_equal(same, targets)
    moved, mixed = augmentation(ramp(8), targets, training=True)
    assert tuple(moved.shape) == (8, 50, 6)
    assert (np.asarray(mixed) != targets).any()
