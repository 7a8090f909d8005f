from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.train.models.random_forest import RandomForest


@pytest.fixture
def forest(rng: np.random.Generator) -> RandomForest:
    """Two classes that differ in strength, and a third without an example."""
    labels = np.arange(40) % 2
    windows = rng.normal(size=(40, 64, 6)) * (1 + 3 * labels)[:, None, None]
    return RandomForest(3, trees=20).fit(windows.astype(np.float32), labels, 50.0)


def test_logits_are_log_probabilities_in_the_order_of_the_labels(forest: RandomForest, rng: np.random.Generator):
    windows = (rng.normal(size=(6, 64, 6)) * np.array([1, 4, 1, 4, 1, 4])[:, None, None]).astype(np.float32)
    logits = forest.predict(windows)
    assert logits.shape == (6, 3)
    assert logits.dtype == np.float32
    assert logits.argmax(axis=1).tolist() == [0, 1, 0, 1, 0, 1]
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, atol=1e-4)
    assert np.exp(logits[:, 2]).max() < 1e-5


def test_file_round_trip(forest: RandomForest, tmp_path: Path, rng: np.random.Generator):
    forest.save(tmp_path / "model.npz")
    windows = rng.normal(size=(6, 64, 6)).astype(np.float32)
    np.testing.assert_array_equal(RandomForest.load(tmp_path / "model.npz").predict(windows), forest.predict(windows))
    assert RandomForest.load(tmp_path / "model.npz").count_params() == forest.count_params() > 0


@pytest.mark.parametrize("content", [None, b"", b"not a forest"])
def test_broken_file_is_named(content: bytes | None, tmp_path: Path):
    if content is not None:
        (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.npz: found no random forest"):
        RandomForest.load(tmp_path / "model.npz")
