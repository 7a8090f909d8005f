import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.convert.embedding_noise import embedding_sqnr_db

RNG = np.random.default_rng(0)
EXACT = RNG.normal(size=(200, 16)).astype(np.float32)


@given(st.floats(0.01, 1.0), st.floats(-100, 100), st.floats(0.1, 10))
def test_ratio_is_that_of_noise_and_spread_whatever_mean_and_scale(noise: float, mean: float, scale: float):
    disturbed = EXACT + noise * np.random.default_rng(1).normal(size=EXACT.shape)
    found = embedding_sqnr_db(np.float64(scale * disturbed + mean), np.float64(scale * EXACT + mean))
    assert found == pytest.approx(-20 * np.log10(noise), abs=0.3)


def test_what_has_no_spread_has_no_ratio():
    assert embedding_sqnr_db(EXACT, EXACT) == np.inf
    assert embedding_sqnr_db(EXACT[:2], np.zeros((2, 16), np.float32)) == -np.inf
    assert embedding_sqnr_db(EXACT[:1], EXACT[:1]) is None
    assert embedding_sqnr_db(EXACT[:, :0], EXACT[:, :0]) is None
