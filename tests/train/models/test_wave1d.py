import numpy as np
import pytest

from deseptr.train.models import TemporalBlock, Wave1d


def test_layer_contract(layer_faults, rng: np.random.Generator):
    assert not layer_faults(Wave1d(5, width=4), rng.normal(size=(3, 64, 12)).astype(np.float32), shapes=[(3, 5)])


@pytest.mark.parametrize(("stride", "filters", "shortcut"), [(1, 4, False), (2, 4, True), (1, 6, True)])
def test_block(stride: int, filters: int, shortcut: bool, layer_faults, rng: np.random.Generator):
    layer = TemporalBlock(filters, stride)
    x = rng.normal(size=(3, 75, 4)).astype(np.float32)
    assert not layer_faults(layer, x, shapes=[(3, -(-75 // stride), filters)])
    assert (layer.shortcut is not None) == shortcut


def test_size():
    model = Wave1d(12)
    model.build((None, 150, 12))
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 289_740
