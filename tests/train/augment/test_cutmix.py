import numpy as np
import pytest

from deseptr.train.augment import BandCutMix


@pytest.mark.parametrize("axis", ["time", "frequency"])
def test_targets_are_mixed_by_the_cut_area(axis: str):
    """Example i is all i, so that the share of foreign values can be read off the picture."""
    count = 32
    pictures = np.broadcast_to(np.arange(count, dtype=np.float32)[:, None, None, None], (count, 17, 25, 2))
    targets = np.eye(count, dtype=np.float32)
    mixed, mixed_targets = BandCutMix(axis, 0.6, rate=1.0, seed=4)(pictures, targets, training=True)
    mixed, mixed_targets = np.asarray(mixed), np.asarray(mixed_targets)
    for i in range(count):
        partner = (i - 1) % count
        share = (mixed[i] == partner).mean()
        assert set(np.unique(mixed[i])) <= {i, partner}
        np.testing.assert_allclose(mixed_targets[i, partner], share, atol=1e-6)
        np.testing.assert_allclose(mixed_targets[i, i], 1 - share, atol=1e-6)
    assert mixed_targets.diagonal().min() < 0.7
