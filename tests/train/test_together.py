"""Settings with which folds are not trained at once, in this process, whose backend is TensorFlow."""

from dataclasses import replace
from typing import Any

import pytest

from deseptr.contract import SetupError
from deseptr.train import TrainConfig
from deseptr.train.together import check_together

CONFIG = TrainConfig(validation=0.0)


def test_another_backend_than_jax_is_refused():
    with pytest.raises(SetupError, match=r"^folds together: backend: found tensorflow, expected jax; .*KERAS_BACKEND"):
        check_together(CONFIG)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"validation": 0.2}, "validation: found 0.2, expected 0, all subjects trained on"),
        ({"precision": "bfloat16"}, "precision: found bfloat16, expected float32"),
    ],
)
def test_what_is_refused_on_jax(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], refused: str):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    check_together(CONFIG)
    with pytest.raises(SetupError, match=f"^folds together: {refused}; change this setting"):
        check_together(replace(CONFIG, **changes))


def test_a_model_that_takes_no_views_is_refused_on_jax(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(SetupError, match=r"^folds together: views: found False, expected a model on views"):
        check_together(TrainConfig("deseptr-spectrogram", validation=0.0))
