import numpy as np
import pytest

from deseptr.contract import InputViews
from deseptr.train.view_encoder import ViewEncoder

RANGE = [19.14] * 3 + [2.63] * 3


def windows(rng: np.random.Generator, history: int = 31) -> np.ndarray:
    """Walking, standing still and beyond the range."""
    scale = np.array([1.0, 0.01, 3.0])[:, None, None] * np.array(RANGE)
    return (rng.normal(size=(3, history + 150, 6)) * scale + [0, 9.81, 0, 0, 0, 0]).astype(np.float32)


@pytest.mark.parametrize("history", [7, 31, 255])
def test_views_are_those_of_the_contract_to_the_integer(history: int, rng: np.random.Generator):
    x = windows(rng, history)
    thresholds = InputViews().thresholds
    encoder = ViewEncoder(RANGE, history, thresholds)
    expected = InputViews(history, thresholds).encode(x, RANGE)
    found = np.asarray(encoder(x)) * 127.5
    np.testing.assert_array_equal(np.rint(found), expected)
    assert np.abs(found - np.rint(found)).max() < 1e-4
    assert {-128, 127} <= set(np.unique(expected).tolist())


def test_layer_contract(layer_faults, rng: np.random.Generator):
    assert not layer_faults(ViewEncoder(RANGE), windows(rng), shapes=[(3, 150, 12)], fits=False)


def test_a_deviation_on_a_threshold_reaches_its_level():
    limit = InputViews().thresholds[40]
    step = np.float32(1.0)
    # One sample differs from 31 equal ones before it by d steps: 32 d - d = 31 d.
    for size, level in ((limit // 31, 40), (limit // 31 + 1, 41)):
        x = np.zeros((1, 32, 1), np.float32)
        x[0, -1] = size * step
        views = np.asarray(ViewEncoder([32640.0])(x)) * 127.5
        assert round(float(views[0, 0, 1])) == level


def test_the_shape_is_known_before_the_call():
    assert ViewEncoder(RANGE).compute_output_shape((None, 181, 6)) == (None, 150, 12)
