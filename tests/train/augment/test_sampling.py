import numpy as np

from deseptr.train.augment.sampling import gather_rows, resample

WINDOWS = np.random.default_rng(0).normal(size=(5, 20, 3)).astype(np.float32)


def test_each_example_has_its_own_index():
    index = np.random.default_rng(1).integers(0, 20, size=(5, 7)).astype(np.int32)
    expected = np.take_along_axis(WINDOWS, index[:, :, None], axis=1)
    np.testing.assert_array_equal(np.asarray(gather_rows(WINDOWS, index)), expected)


def test_resampling_is_numpys_interpolation_with_its_held_ends():
    position = np.random.default_rng(2).uniform(-4, 24, size=(5, 20)).astype(np.float32)
    resampled = np.asarray(resample(WINDOWS, position))
    for example, where, window in zip(resampled, position, WINDOWS, strict=True):
        expected = np.stack([np.interp(where, np.arange(20), channel) for channel in window.T], axis=1)
        np.testing.assert_allclose(example, expected, atol=1e-5)
