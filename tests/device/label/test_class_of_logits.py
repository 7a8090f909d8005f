import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.device import classify_logits


def test_decision_is_the_first_most_probable():
    classification = classify_logits(np.array([0, 2, 2], np.float32), ("a", "b", "c"))
    assert (classification.index, classification.label) == (1, "b")
    assert classification.confidence == pytest.approx(classification.probabilities.max())


def test_logits_that_are_not_finite():
    with pytest.raises(ModelError, match=r"the model's output: found logits \[nan 1\. ?\], expected finite numbers"):
        classify_logits(np.array([np.nan, 1], np.float32), ("a", "b"))
