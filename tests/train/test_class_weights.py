import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from deseptr.contract import ModelError
from deseptr.train import TrainConfig
from deseptr.train.class_weights import class_weights

LABELS = np.repeat([0, 1, 2], [70, 10, 20])


def test_balanced_is_scikit_learns():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(class_weights(LABELS, 3, "balanced"), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["balanced", "sqrt"])
def test_mean_over_the_examples_is_one(kind: str):
    assert class_weights(LABELS, 3, kind)[LABELS].mean() == pytest.approx(1, rel=1e-6)


def test_sqrt_is_in_proportion_to_the_root_of_balanced():
    balanced, root = (class_weights(LABELS, 3, kind) for kind in ("balanced", "sqrt"))
    np.testing.assert_allclose(root / root[0], np.sqrt(balanced / balanced[0]), rtol=1e-6)


def test_none_is_none():
    assert class_weights(LABELS, 3, "none") is None


def test_unknown_kind_is_refused():
    with pytest.raises(ModelError, match="class_weights: found inverse, expected one of none, balanced, sqrt"):
        TrainConfig(class_weights="inverse")
