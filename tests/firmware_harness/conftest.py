import numpy as np
import pytest

from deseptr.contract import ModelContract, StftSpec
from deseptr.data import Dataset, Recording


class KeepingEngine:
    """Keeps every window, and says the second label where the first gyroscope axis turns forwards."""

    name, threads, embedding = "keeping 1", 1, None

    def __init__(self, contract):
        self.contract = contract
        self.windows = []

    def invoke(self, window):
        self.windows.append(window.copy())
        return np.array([0, window[:, 3].mean() * 10, -50], np.float32)


@pytest.fixture
def contract():
    return ModelContract(labels=("back", "forth", "rest"), window_length=32, hop_length=16, stft=StftSpec(16, 4, 2))


@pytest.fixture
def engine(contract):
    return KeepingEngine(contract)


@pytest.fixture
def make_recording():
    def make(count, rate_hz=50.0, seed=0, labels=None, name="1"):
        random = np.random.default_rng(seed)
        signals = random.normal(0, 1, (count, 6)) * ([15] * 3 + [3] * 3) + [0, 9.8, 0, 0, 0, 0]
        labels = np.zeros(count, np.int16) if labels is None else labels
        return Recording(signals.astype(np.float32), rate_hz, "7", labels, name)

    return make


@pytest.fixture
def make_dataset():
    def make(*recordings):
        return Dataset(recordings, ("back", "forth", "rest"))

    return make
