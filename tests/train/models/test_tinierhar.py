import numpy as np
import pytest

from deseptr.train.models import TinierHar
from deseptr.train.models.tinierhar import TemporalBlock


def test_layer_contract(layer_faults, rng: np.random.Generator):
    windows = rng.normal(size=(3, 64, 6)).astype(np.float32)
    assert not layer_faults(TinierHar(5, filters=2, units=3), windows, shapes=[(3, 5)])


@pytest.mark.parametrize(("maps", "pooled", "length"), [(2, True, 8), (4, False, 16), (4, True, 8)])
def test_block_contract(maps: int, pooled: bool, length: int, layer_faults, rng: np.random.Generator):
    layer, x = TemporalBlock(4, pooled), rng.normal(size=(2, 16, 3, maps)).astype(np.float32)
    assert not layer_faults(layer, x, shapes=[(2, length, 3, 4)])
    assert layer.compute_output_shape(x.shape) == (2, length, 3, 4)
    assert (layer.shortcut is None) == (maps == 4)


def test_size_is_the_published_one():
    model = TinierHar(12)
    model.build((None, 128, 6))
    assert 7000 < model.count_params() < 7600


def test_two_of_the_six_blocks_halve_the_time():
    model = TinierHar(12)
    shape, lengths = (None, 128, 6, 1), []
    for block in model.blocks:
        shape = block.compute_output_shape(shape)
        lengths.append(shape[1])
    assert lengths == [64, 32, 32, 32, 32, 32]


def test_both_directions_see_the_whole_window(rng: np.random.Generator):
    model, windows = TinierHar(5), rng.normal(size=(1, 64, 6)).astype(np.float32)
    before = np.asarray(model(windows))
    for time in (0, 63):
        changed = windows.copy()
        changed[0, time] += 3
        assert np.abs(np.asarray(model(changed)) - before).max() > 1e-5
