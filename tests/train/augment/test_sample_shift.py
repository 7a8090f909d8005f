import keras
import numpy as np

from deseptr.train.augment.sample_shift import SampleShift

# Sample t of the recording has the value t - 3, so that the window is 0 to 9.
RECORDED = np.arange(-3, 13, dtype=np.float32).reshape(1, 16, 1)


def test_the_window_is_cut_at_places_around_its_own_and_outside_training_at_its_own():
    layer = SampleShift(max_samples=3, seed=2)
    np.testing.assert_array_equal(np.asarray(layer(RECORDED))[0, :, 0], np.arange(10))
    cut = np.asarray(layer(np.repeat(RECORDED, 200, axis=0), training=True))[:, :, 0]
    np.testing.assert_array_equal(cut - cut[:, :1], np.repeat(np.arange(10)[None], 200, axis=0))
    assert set(cut[:, 0].tolist()) == {-3, -2, -1, 0, 1, 2, 3}


def test_shape_of_the_output():
    assert SampleShift(25).compute_output_shape((None, 150, 6)) == (None, 100, 6)
    assert SampleShift(25)(keras.KerasTensor((8, 150, 6))).shape == (8, 100, 6)
