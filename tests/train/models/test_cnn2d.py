import numpy as np

from deseptr.train.models import Cnn2d


def test_layer_contract(layer_faults, rng: np.random.Generator):
    assert not layer_faults(Cnn2d(5, width=4), rng.normal(size=(3, 17, 25, 6)).astype(np.float32), shapes=[(3, 5)])
