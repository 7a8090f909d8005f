import numpy as np

from deseptr.train.models import CnnHar


def test_layer_contract(layer_faults, rng: np.random.Generator):
    windows = rng.normal(size=(3, 64, 6)).astype(np.float32)
    assert not layer_faults(CnnHar(5, (4, 3, 2), unified_maps=8), windows, shapes=[(3, 5)])


def test_size_is_the_published_one_but_for_the_norms():
    model = CnnHar(6)
    model.build((None, 128, 6))
    temporal = 5 * 50 + 5 * 50 * 40 + 3 * 40 * 20
    norms = 2 * (50 + 40 + 20 + 400)
    assert sum(w.shape.num_elements() for w in model.trainable_weights) == temporal + 6 * 20 * 400 + 401 * 6 + norms


def test_channels_meet_only_in_the_last_convolution(rng: np.random.Generator):
    model, windows = CnnHar(5), rng.normal(size=(1, 64, 6)).astype(np.float32)
    model(windows)
    x = windows[..., None]
    before = np.asarray(model.temporal[0](x))
    x[:, :, 2] += 1
    after = np.asarray(model.temporal[0](x))
    others = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(after[:, :, others], before[:, :, others])


def test_views_are_input_features_of_the_first_layer(layer_faults, rng: np.random.Generator):
    windows = rng.normal(size=(3, 64, 12)).astype(np.float32)
    model = CnnHar(5, (4, 3, 2), unified_maps=8, views=2)
    assert not layer_faults(model, windows, shapes=[(3, 5)])
    assert model.temporal[0].convolution.kernel.shape == (5, 1, 2, 4)
    before = np.asarray(model.temporal[0](np.stack([windows[..., :6], windows[..., 6:]], -1)))
    windows[..., 8] += 1
    after = np.asarray(model.temporal[0](np.stack([windows[..., :6], windows[..., 6:]], -1)))
    changed = (before != after).any((0, 1, 3))
    assert changed.tolist() == [False, False, True, False, False, False]
