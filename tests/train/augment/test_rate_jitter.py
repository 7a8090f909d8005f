import numpy as np
import pytest

from deseptr.train.augment import RateJitter

TIME = np.arange(101, dtype=np.float32)


def test_ramp_shows_when_each_sample_was_taken():
    """Around the centre, at steps of one error an example, with what lies beyond the ends held."""
    ramp = np.broadcast_to(TIME[None, :, None], (128, 101, 2))
    sampled = np.asarray(RateJitter(0.1, rate=1.0, seed=1)(ramp, training=True))
    np.testing.assert_array_equal(sampled[..., 0], sampled[..., 1])
    steps = sampled[:, 51, 0] - sampled[:, 50, 0]
    expected = np.clip(50 + (TIME - 50) * steps[:, None], 0, 100)
    np.testing.assert_allclose(sampled[..., 0], expected, atol=2e-3)
    assert 0.899 < steps.min() < 0.92
    assert 1.08 < steps.max() < 1.101


def test_frequency_of_a_sine_changes_by_the_error():
    sine = np.sin(2 * np.pi * 0.05 * (TIME - 50))[None, :, None].astype(np.float32)
    sampled = np.asarray(RateJitter(0.1, rate=1.0, seed=3)(sine, training=True))[0, :, 0]
    errors = np.linspace(-0.1, 0.1, 201)
    sines = np.sin(2 * np.pi * 0.05 * (1 + errors[:, None]) * (TIME - 50))
    misfits = np.abs(sines - sampled)[:, 10:-10].max(axis=1)
    assert misfits.min() < 0.03
    assert misfits[100] > 0.1


def test_impossible_fraction_is_refused():
    with pytest.raises(ValueError, match="Received: max_fraction=1"):
        RateJitter(1.0)
