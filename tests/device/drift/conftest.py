from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DriftHistogram, DriftReference, EmbeddingReference, ModelContract
from deseptr.device import WindowEvent

LABELS = ("sitting", "walking", "jogging")


def histogram(rows, limits=(0.5, 0.3, 0.2)):
    return DriftHistogram(tuple(map(tuple, rows)), limits)


# Sitting is found with little confidence, walking with much; jogging the reference never had.
CONFIDENCE = [[0, 0, 0, 10, 20, 40, 30, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 5, 5, 40, 40, 10], [0] * 12]


@pytest.fixture(scope="session")
def reference():
    embedding = EmbeddingReference.of([1.0, 2.0], np.zeros((3, 2)), [[0.1 * each for each in range(1, 10)]] * 3)
    return DriftReference(
        5, 200, 1.28, 9.8, histogram(CONFIDENCE), histogram([[10] * 10, [10] * 10, [0] * 10]), None, embedding
    )


@pytest.fixture(scope="session")
def contract(reference):
    return replace(ModelContract(LABELS, embedding_width=2), drift=reference)


@pytest.fixture
def window():
    """Make a window of a label, with this confidence."""

    def make(label="walking", confidence=0.992, **fields):
        rest = (1 - confidence) / (len(LABELS) - 1)
        probabilities = {each: confidence if each == label else rest for each in LABELS}
        return WindowEvent(fields.pop("t", 1.28), label, confidence, probabilities, 800.0, 0, **fields)

    return make
