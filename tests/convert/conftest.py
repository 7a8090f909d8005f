"""Students with random weights and random statistics, so that a rewrite that is wrong cannot hide."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deseptr.contract import ModelContract, StftSpec


@pytest.fixture
def contract() -> ModelContract:
    return ModelContract(
        labels=("a", "b", "c"),
        window_length=64,
        hop_length=32,
        input_range=(20.0,) * 3 + (5.0,) * 3,
        stft=StftSpec(16, 4, 3),
        model="random",
    )


def randomise(classifier: Any, rng: np.random.Generator, scale: float = 0.5, length: int = 64) -> Any:
    """Build a classifier for the contract's windows and disturb every weight and statistic."""
    classifier.build((None, length, 6))
    for weight in classifier.network.weights:
        if "seed" in weight.path:
            continue
        noise = rng.normal(size=weight.shape) * scale
        positive = "variance" in weight.path or "gamma" in weight.path
        weight.assign(np.abs(np.asarray(weight) + noise) + 0.2 if positive else np.asarray(weight) + noise)
    return classifier


@pytest.fixture
def random_student(contract: ModelContract) -> Callable[..., Any]:
    """Make a student from a seed, with `prediction` and DeSepTr's settings."""

    def make(seed: int, *, prediction: str = "mean", **settings: Any) -> Any:
        from deseptr.train.classifier import WindowClassifier
        from deseptr.train.front_end import DftSpectrogram
        from deseptr.train.models import DeSepTr

        rng = np.random.default_rng(seed)
        front_end = DftSpectrogram(
            contract.stft, contract.input_range, list(rng.uniform(1, 9, contract.stft.bins)), [1.0, 8.0]
        )
        network = DeSepTr(3, **{"dim": 12, "heads": 3, "stem_filters": 8, **settings})
        return randomise(WindowClassifier(front_end, network, prediction), rng)

    return make


@pytest.fixture
def random_model(contract: ModelContract) -> Callable[..., Any]:
    """Make a classifier of any family by name, small, on its own kind of front end."""

    def make(name: str, *, prediction: str = "mean", scale: float = 0.2, **settings: Any) -> Any:
        import keras

        from deseptr.train import TrainConfig
        from deseptr.train.classifier import WindowClassifier
        from deseptr.train.front_end import DftSpectrogram
        from deseptr.train.models.registry import MODELS
        from deseptr.train.view_encoder import ViewEncoder
        from deseptr.train.window_front_end import WindowScale

        keras.utils.set_random_seed(2)
        config = TrainConfig(**{"model": name, "dim": 12, "heads": 3, "teacher_width": 8, **settings})
        rng = np.random.default_rng(2)
        network = MODELS[name].build(3, config)
        if config.views:
            front_end = ViewEncoder(contract.input_range)
        elif MODELS[name].input == "window":
            front_end = WindowScale(contract.input_range)
        else:
            front_end = DftSpectrogram(contract.stft, contract.input_range, list(rng.uniform(1, 9, 9)), [1.0, 8.0])
        length = 64 + getattr(front_end, "history", 0)
        return randomise(WindowClassifier(front_end, network, prediction), rng, scale, length)

    return make


@pytest.fixture
def windows() -> np.ndarray:
    rng = np.random.default_rng(1)
    scale = np.geomspace(0.2, 3, 6)[:, None, None]
    return (rng.normal(size=(6, 64, 6)) * scale * [8, 8, 8, 2, 2, 2] + [0, 9.8, 0, 0, 0, 0]).astype(np.float32)
