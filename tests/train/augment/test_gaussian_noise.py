import numpy as np

from deseptr.train.augment import GaussianNoise


def test_each_channel_has_its_own_level():
    levels = [0.0, 1.0, 10.0]
    noise = np.asarray(GaussianNoise(levels, rate=1.0, seed=0)(np.zeros((500, 40, 3), np.float32), training=True))
    # A level uniform up to s has the root mean square s / √3.
    np.testing.assert_allclose(np.sqrt((noise**2).mean((0, 1))), np.array(levels) / np.sqrt(3), rtol=0.05)
