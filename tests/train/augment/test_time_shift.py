import numpy as np

from deseptr.train.augment import TimeShift


def test_shifted_window_is_a_roll_of_all_channels_together():
    window = np.arange(40, dtype=np.float32)[None, :, None] + np.array([0, 100], np.float32)
    shifted = np.asarray(TimeShift(0.5, rate=1.0, seed=3)(np.repeat(window, 32, axis=0), training=True))
    shifts = set()
    for example in shifted:
        shift = int(np.argmin(example[:, 0]))
        np.testing.assert_array_equal(example, np.roll(window[0], shift, axis=0))
        shifts.add(shift)
    assert len(shifts) > 10
