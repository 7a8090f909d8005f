"""The trees of a fitted random forest as plain arrays: a file without pickles, and prediction with numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError
from deseptr.train.array_file import ArrayFile

LEAF = -1
MOST_CLASSES = 10_000
_WINDOWS_AT_ONCE = 1024


@dataclass(frozen=True)
class DecisionTrees(ArrayFile):
    """Binary decision trees in one list of nodes, each tree's root first and each node before its children.

    Args:
        roots: ``[tree]`` first node of each tree.
        feature: ``[node]`` index of the feature that a split compares; 0 in a leaf.
        threshold: ``[node]`` a window goes left if its feature is at most this; 0 in a leaf.
        left: ``[node]`` left child, :data:`LEAF` in a leaf.
        right: ``[node]`` right child, :data:`LEAF` in a leaf.
        shares: ``[node, known class]`` fractions of the classes among the training windows that reached the node.
        known: ``[known class]`` the classes of the training windows, as indices into all classes.
        classes: ``[]`` number of all classes.
        features: ``[]`` number of features.
        rate_hz: ``[]`` sample rate of the windows, Hz.
    """

    KIND = "random forest"
    EXPECTED = "a file of `deseptr train --model random-forest`"
    NEXT_STEP = "train again"

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    shares: NDArray[np.float64]
    known: NDArray[np.int64]
    classes: NDArray[np.int64]
    features: NDArray[np.int64]
    rate_hz: NDArray[np.float64]

    @classmethod
    def of(cls, forest: Any, classes: int, rate_hz: float) -> Self:
        """The trees of a fitted ``sklearn.ensemble.RandomForestClassifier``."""
        trees = [tree.tree_ for tree in forest.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        shares = np.concatenate([tree.value[:, 0, :] for tree in trees])
        left, right = (
            np.concatenate(
                [np.where(ends < 0, LEAF, ends + root) for root, ends in zip(roots, children, strict=True)]
            ).astype(np.int64)
            for children in ([tree.children_left for tree in trees], [tree.children_right for tree in trees])
        )
        inner = left != LEAF
        return cls(
            roots=roots.astype(np.int64),
            feature=np.where(inner, np.concatenate([tree.feature for tree in trees]), 0).astype(np.int64),
            threshold=np.where(inner, np.concatenate([tree.threshold for tree in trees]), 0.0),
            left=left,
            right=right,
            shares=shares / shares.sum(axis=1, keepdims=True),
            known=np.asarray(forest.classes_, np.int64),
            classes=np.array(classes, np.int64),
            features=np.array(forest.n_features_in_, np.int64),
            rate_hz=np.array(rate_hz, np.float64),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that :meth:`save` wrote, and check that each walk from a root ends in a leaf.

        Raises:
            ModelError: if the file is missing or has other content.
        """
        trees = super().load(path)
        wrong = trees._contradiction()
        if wrong:
            raise ModelError(path, found=f"no {cls.KIND} ({wrong})", expected=cls.EXPECTED, next_step=cls.NEXT_STEP)
        return trees

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean of the leaves' class shares over the trees, ``[window, classes]``; classes without examples get 0.

        Args:
            features: ``[window, feature]``.
        """
        probabilities = np.zeros((len(features), int(self.classes)))
        for start in range(0, len(features), _WINDOWS_AT_ONCE):
            part = slice(start, start + _WINDOWS_AT_ONCE)
            probabilities[part, self.known] = self.shares[self._leaves(features[part])].mean(axis=1)
        return probabilities

    def count_params(self) -> int:
        """Count of numbers in the trees: feature, threshold and two children per split, the class shares per leaf."""
        leaves = int((self.left == LEAF).sum())
        return 4 * (len(self.left) - leaves) + int(self.classes) * leaves

    def _leaves(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """Leaf ``[window, tree]`` that each window reaches in each tree."""
        nodes = np.tile(self.roots, (len(features), 1))
        windows = np.arange(len(features))[:, None]
        while (inner := self.left[nodes] != LEAF).any():
            is_left = features[windows, self.feature[nodes]] <= self.threshold[nodes]
            nodes = np.where(inner, np.where(is_left, self.left[nodes], self.right[nodes]), nodes)
        return nodes

    def _contradiction(self) -> str | None:
        """The first error in the arrays; None if they are valid."""
        return self._wrong_shape() or self._wrong_value()

    def _wrong_shape(self) -> str | None:
        nodes, known = self.left.shape, self.known.shape
        shapes = {
            "roots": (self.roots, "i", self.roots.shape[:1]),
            "feature": (self.feature, "i", nodes),
            "threshold": (self.threshold, "f", nodes),
            "left": (self.left, "i", nodes[:1]),
            "right": (self.right, "i", nodes),
            "shares": (self.shares, "f", (*nodes, *known)),
            "known": (self.known, "i", known[:1]),
            "classes": (self.classes, "i", ()),
            "features": (self.features, "i", ()),
            "rate_hz": (self.rate_hz, "f", ()),
        }
        for name, (array, kind, shape) in shapes.items():
            if array.dtype.kind != kind or array.shape != shape:
                return f"{name} is {array.dtype} {array.shape}"
            if 0 in shape:
                return f"{name} is empty"
        return None

    def _wrong_value(self) -> str | None:
        number = np.arange(len(self.left))
        leaf = self.left == LEAF
        # Children come after their parent, so that no walk goes in a circle.
        later = (self.left > number) & (self.right > number) & (np.maximum(self.left, self.right) < len(number))
        inside = {
            "roots": (self.roots >= 0) & (self.roots < len(number)),
            "children": np.where(leaf, self.right == LEAF, later),
            "feature": (self.feature >= 0) & (self.feature < self.features),
            "threshold": np.isfinite(self.threshold),
            "shares": (self.shares >= 0) & (self.shares <= 1),
            "known": (self.known >= 0) & (self.known < self.classes),
            # A row of probabilities has a number for each class: a damaged count would fill the memory.
            "classes": (self.classes >= 1) & (self.classes <= MOST_CLASSES),
            "rate_hz": np.isfinite(self.rate_hz) & (self.rate_hz > 0),
        }
        return next((f"{name} out of range" for name, good in inside.items() if not good.all()), None)
