import numpy as np
import pytest

from deseptr.train.augment import BandMask


@pytest.mark.parametrize(("name", "axis"), [("time", 2), ("frequency", 1)])
def test_zero_band_is_contiguous_and_spans_the_other_axes(name: str, axis: int):
    ones = np.ones((200, 17, 25, 3), np.float32)
    masked = np.moveaxis(np.asarray(BandMask(name, 0.4, rate=1.0, seed=0)(ones, training=True)), axis, 1)
    profile = masked[:, :, 0, 0]
    np.testing.assert_array_equal(masked, np.broadcast_to(profile[:, :, None, None], masked.shape))
    size = profile.shape[1]
    widths = size - profile.sum(axis=1)
    assert widths.max() <= round(0.4 * size)
    assert len(np.unique(widths)) > 3
    for row in profile:
        zeros = np.flatnonzero(row == 0)
        assert len(zeros) == 0 or zeros[-1] - zeros[0] + 1 == len(zeros)
    covered = (profile == 0).any(axis=0)
    assert covered[0]
    assert covered[-1]
