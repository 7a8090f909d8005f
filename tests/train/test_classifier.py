from pathlib import Path

import keras
import numpy as np
import pytest

from deseptr.contract import StftSpec
from deseptr.train.classifier import WindowClassifier
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.models import DeSepTr, ResNet18

WINDOWS = np.random.default_rng(0).normal(size=(3, 64, 6)).astype(np.float32)


def make(prediction: str = "mean") -> WindowClassifier:
    network = DeSepTr(4, dim=8, heads=2, stem_filters=4)
    return WindowClassifier(DftSpectrogram(StftSpec(16, 8), [10.0] * 6), network, prediction)


def test_prediction_chooses_the_head():
    classifier = make()
    classifier(WINDOWS)
    of_class, of_distillation = classifier.network(classifier.front_end(WINDOWS))
    for prediction, expected in (
        ("class", of_class),
        ("distillation", of_distillation),
        ("mean", (of_class + of_distillation) / 2),
    ):
        classifier.prediction = prediction
        np.testing.assert_allclose(classifier(WINDOWS), expected, atol=1e-6)


@pytest.mark.parametrize("network", ["student", "teacher"])
def test_checkpoint_round_trip(network: str, tmp_path: Path):
    classifier = make() if network == "student" else WindowClassifier(make().front_end, ResNet18(4, width=4))
    expected = np.asarray(classifier(WINDOWS))
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(WINDOWS), expected, atol=1e-6)
    for part in ("front_end", "network"):
        assert getattr(loaded, part).get_config() == getattr(classifier, part).get_config()


def test_unknown_prediction_is_refused():
    with pytest.raises(ValueError, match="Received: prediction=best"):
        make("best")
