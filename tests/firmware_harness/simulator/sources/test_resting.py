import numpy as np
import pytest

from deseptr.firmware_harness.simulator import RestingSource


def test_gravity_noise_and_bias():
    source = RestingSource(np.random.default_rng(1), (0.01, -0.02, 0.03))
    signals = source.at(np.arange(20_000, dtype=np.int64) * 20_000_000)
    assert signals.mean(0) == pytest.approx([0, 0, 9.80665, 0.01, -0.02, 0.03], abs=1e-3)
    assert signals.std(0) == pytest.approx([0.022] * 3 + [0.0005] * 3, rel=0.05)
    assert source.duration_ns is None


def test_seeded():
    times = np.arange(5, dtype=np.int64)
    first, second = (RestingSource(np.random.default_rng(3)).at(times) for _ in range(2))
    np.testing.assert_array_equal(first, second)
