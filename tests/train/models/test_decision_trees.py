from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from deseptr.contract import ModelError
from deseptr.train.models.decision_trees import LEAF, DecisionTrees

FEATURES = 7


def grow(
    rng: np.random.Generator, known: tuple[int, ...], *, rows: int = 300, trees: int = 30
) -> RandomForestClassifier:
    labels = rng.choice(known, 300)
    features = (rng.normal(size=(300, FEATURES)) + 0.4 * labels[:, None]).astype(np.float32)
    return RandomForestClassifier(trees, class_weight="balanced", random_state=0).fit(features, labels)


@pytest.mark.parametrize("known", [(0, 1), (0, 2, 3), (4,), (0, 1, 2, 3, 4)])
def test_probabilities_equal_those_of_scikit_learn(rng: np.random.Generator, known: tuple[int, ...]):
    forest = grow(rng, known)
    features = (3 * rng.normal(size=(2500, FEATURES))).astype(np.float32)
    # On a threshold, a window goes left.
    features[:50, 0] = np.resize(forest.estimators_[0].tree_.threshold, 50)
    probabilities = DecisionTrees.of(forest, 5, 50.0).predict_proba(features)
    assert probabilities.shape == (2500, 5)
    np.testing.assert_allclose(probabilities[:, list(known)], forest.predict_proba(features), rtol=0, atol=1e-12)
    assert not np.delete(probabilities, list(known), axis=1).any()


def test_count_of_numbers(rng: np.random.Generator):
    forest = grow(rng, (0, 1, 2))
    leaves = sum(tree.get_n_leaves() for tree in forest.estimators_)
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    assert DecisionTrees.of(forest, 3, 50.0).count_params() == 4 * (nodes - leaves) + 3 * leaves


def test_file_round_trip_without_pickles(rng: np.random.Generator, tmp_path: Path):
    trees = DecisionTrees.of(grow(rng, (0, 1)), 2, 50.0)
    trees.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        assert {name: arrays[name].dtype.kind for name in arrays} == {
            "roots": "i",
            "feature": "i",
            "threshold": "f",
            "left": "i",
            "right": "i",
            "shares": "f",
            "known": "i",
            "classes": "i",
            "features": "i",
            "rate_hz": "f",
        }
    loaded = DecisionTrees.load(tmp_path / "model.npz")
    for name, array in vars(trees).items():
        np.testing.assert_array_equal(vars(loaded)[name], array)


def changed(array: np.ndarray, position: int, value: float) -> np.ndarray:
    array = array.copy()
    array[position] = value
    return array


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("left", lambda trees: changed(trees.left, 0, 0), "children out of range"),
        ("left", lambda trees: changed(trees.left, 0, LEAF), "children out of range"),
        ("right", lambda trees: changed(trees.right, 0, len(trees.right)), "children out of range"),
        ("right", lambda trees: trees.right[:-1], "right is int64"),
        ("feature", lambda trees: changed(trees.feature, 0, FEATURES), "feature out of range"),
        ("feature", lambda trees: trees.feature.astype(float), "feature is float64"),
        ("threshold", lambda trees: changed(trees.threshold, 0, np.nan), "threshold out of range"),
        ("shares", lambda trees: changed(trees.shares, 0, np.nan), "shares out of range"),
        ("shares", lambda trees: trees.shares[:, :1], "shares is float64"),
        ("known", lambda trees: trees.known + 1, "known out of range"),
        ("roots", lambda trees: trees.roots - 1, "roots out of range"),
        ("roots", lambda trees: trees.roots[:0], "roots is empty"),
        ("classes", lambda trees: trees.known, "classes is int64"),
        ("classes", lambda trees: np.array(2**40), "classes out of range"),
        ("rate_hz", lambda trees: np.array(np.inf), "rate_hz out of range"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(rng, tmp_path: Path, name, change, found):
    trees = DecisionTrees.of(grow(rng, (0, 1), trees=2), 2, 50.0)
    replace(trees, **{name: change(trees)}).save(tmp_path / "model.npz")
    with pytest.raises(ModelError, match=rf"model\.npz: found no random forest \({found}.*; train again$"):
        DecisionTrees.load(tmp_path / "model.npz")
