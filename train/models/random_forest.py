"""A random forest on hand-made features, as the baseline that a network has to beat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, ModelError
from deseptr.train.features import feature_names, window_features

from .decision_trees import DecisionTrees

PICKLE_SUFFIX = ".joblib"
_LEAST = 1e-6


class RandomForest:
    """A random forest, grown by scikit-learn, with the methods of a Keras classifier that scoring and prediction use.

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
        self.classes = classes
        self.trees: DecisionTrees | None = None
        self._count = trees
        self._seed = seed

    def fit(self, signals: NDArray[np.float32], labels: NDArray[np.int64], rate_hz: float) -> RandomForest:
        """Grow the trees on raw windows ``[window, window_length, 6]`` at a sample rate."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(self._count, class_weight="balanced", n_jobs=-1, random_state=self._seed)
        forest.fit(window_features(signals, rate_hz), labels)
        self.trees = DecisionTrees.of(forest, self.classes, rate_hz)
        return self

    def predict(self, signals: NDArray[np.float32], batch_size: int = 0, verbose: int = 0) -> NDArray[np.float32]:
        """Log-probabilities ``[window, classes]`` of raw windows; the other arguments are Keras' and ignored."""
        trees = self._fitted()
        shares = trees.predict_proba(window_features(signals, float(trees.rate_hz)))
        return np.log(np.maximum(shares, _LEAST)).astype(np.float32)

    def count_params(self) -> int:
        """Count of numbers in the trees: feature, threshold and two children per split, the class shares per leaf."""
        return self._fitted().count_params()

    def save(self, path: Path) -> None:
        """Write the trees as a ``.npz`` file, atomically."""
        self._fitted().save(path)

    @classmethod
    def load(cls, path: Path, channels: tuple[str, ...] = CHANNELS) -> RandomForest:
        """Read a file that :meth:`save` wrote. It holds arrays alone; nothing in it is executed.

        Args:
            path: of the file.
            channels: of its windows.

        Raises:
            ModelError: if the file is missing or has other content, or is a pickle of an earlier version.
        """
        _refuse_pickle(path)
        trees, wanted = DecisionTrees.load(path), len(feature_names(channels))
        if trees.features != wanted:
            raise ModelError(
                path,
                found=f"trees on {trees.features} features",
                expected=f"{wanted} features",
                next_step=DecisionTrees.NEXT_STEP,
            )
        forest = cls(int(trees.classes), len(trees.roots))
        forest.trees = trees
        return forest

    def _fitted(self) -> DecisionTrees:
        if self.trees is None:
            raise ValueError("`fit` must be called before this method. Received: a forest without trees")
        return self.trees


def _refuse_pickle(path: Path) -> None:
    pickled = path.with_suffix(PICKLE_SUFFIX)
    if not path.exists() and pickled.exists():
        path = pickled
    if path.suffix == PICKLE_SUFFIX:
        raise ModelError(
            path,
            found="a pickled random forest of an earlier version, which could execute code",
            expected="model.npz, which holds plain arrays",
            next_step="train again",
        )
