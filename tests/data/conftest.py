"""Small datasets for the tests of the data room, and the way to the real recordings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deseptr.data import Dataset, Recording, synthetic_dataset


@pytest.fixture(scope="session")
def synthetic() -> Dataset:
    return synthetic_dataset(subjects=4, seconds=10.0, seed=3)


@pytest.fixture
def make_recording() -> Callable[..., Recording]:
    """A recording of seeded noise around gravity with the given labels."""

    def make(labels: list[int], subject: str = "1", rate_hz: float = 50.0, name: str = "1", seed: int = 0) -> Recording:
        rng = np.random.default_rng([seed, len(labels)])
        signals = rng.normal([0, 9.81, 0, 0, 0, 0], 0.5, (len(labels), 6))
        return Recording(signals.astype(np.float32), rate_hz, subject, np.array(labels, np.int16), name)

    return make
