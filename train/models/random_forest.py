"""A random forest on hand-made features, as the baseline that a network has to beat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, atomic_path
from deseptr.train.features import window_features

_LEAST = 1e-6


class RandomForest:
    """Scikit-learn's random forest with the methods of a Keras classifier that scoring and prediction use.

    Args:
        classes: number of classes.
        trees: number of trees.
        seed: seed of the trees.

    Example:
        >>> windows = np.random.default_rng(0).normal(size=(20, 100, 6)).astype(np.float32)
        >>> forest = RandomForest(classes=2, trees=3).fit(windows, np.arange(20) % 2, rate_hz=50.0)
        >>> forest.predict(windows).shape
        (20, 2)

    Reference: Breiman, Random Forests, Machine Learning 45, 2001.
    """

    def __init__(self, classes: int, trees: int = 300, seed: int = 0) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self.classes = classes
        self.rate_hz = 0.0
        self.forest: Any = RandomForestClassifier(trees, class_weight="balanced", n_jobs=-1, random_state=seed)

    def fit(self, signals: NDArray[np.float32], labels: NDArray[np.int64], rate_hz: float) -> RandomForest:
        """Grow the trees on raw windows ``[window, window_length, 6]`` at a sample rate."""
        self.rate_hz = rate_hz
        self.forest.fit(window_features(signals, rate_hz), labels)
        return self

    def predict(self, signals: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
        """Log-probabilities ``[window, classes]`` of raw windows; the other arguments are Keras' and ignored."""
        shares = np.zeros((len(signals), self.classes))
        shares[:, self.forest.classes_] = self.forest.predict_proba(window_features(signals, self.rate_hz))
        return np.log(np.maximum(shares, _LEAST)).astype(np.float32)

    def count_params(self) -> int:
        """Count of numbers in the trees: feature, threshold and two children per split, the class shares per leaf."""
        leaves = sum(int(tree.get_n_leaves()) for tree in self.forest.estimators_)
        nodes = sum(int(tree.tree_.node_count) for tree in self.forest.estimators_)
        return 4 * (nodes - leaves) + self.classes * leaves

    def save(self, path: Path) -> None:
        """Write a joblib file atomically."""
        import joblib

        content = {"classes": self.classes, "rate_hz": self.rate_hz, "forest": self.forest}
        with atomic_path(path) as temporary:
            joblib.dump(content, temporary, compress=3)

    @classmethod
    def load(cls, path: Path) -> RandomForest:
        """Read a file that :meth:`save` wrote. It is a pickle, which can run code: load only files that you trust.

        Raises:
            ModelError: if the file is missing or has other content.
        """
        import joblib

        model = cls.__new__(cls)
        try:
            vars(model).update(joblib.load(path))
            model.forest.classes_  # noqa: B018
        except Exception as error:  # pickle, zlib and scikit-learn raise different exceptions
            raise ModelError(
                path,
                found=f"no random forest ({type(error).__name__}: {error})",
                expected="a file of `deseptr train --model random-forest`",
                next_step="train again",
            ) from error
        return model
