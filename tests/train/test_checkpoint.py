"""Valid checkpoints: a classifier of this package or a plain Keras model, with a contract that fits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hostile_files import bomb

from deseptr.contract import ModelContract, ModelError
from deseptr.train.checkpoint import load_checkpoint, load_run
from deseptr.train.training_loop import predict_logits

CONTRACT = ModelContract(labels=("a", "b", "c"), window_length=64, hop_length=32, model="plain")
layers = keras.layers


def dense(classes: int = 3, window: tuple[int, int] = (64, 6), **settings: Any) -> keras.Model:
    return keras.Sequential([layers.Input(window), layers.Flatten(), layers.Dense(classes, **settings)])


def saved(model: keras.Model, folder: Path, name: str = "model.keras") -> Path:
    model.save(folder / name)
    CONTRACT.save(folder / "contract.json")
    return folder / name


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_plain_model_is_taken_as_it_is(activation: str | None, tmp_path: Path):
    model = dense(activation=activation)
    path = saved(model, tmp_path)
    windows = np.random.default_rng(0).normal(size=(5, 64, 6)).astype(np.float32)
    for given in (path, tmp_path):
        loaded, contract = load_run(given)
        assert contract == CONTRACT
        np.testing.assert_allclose(predict_logits(loaded, windows), np.asarray(model(windows)), atol=1e-6)


def two_outputs() -> keras.Model:
    window = layers.Input((64, 6))
    flat = layers.Flatten()(window)
    return keras.Model(window, [layers.Dense(3)(flat), layers.Dense(3)(flat)])


def two_inputs() -> keras.Model:
    windows = [layers.Input((64, 6)), layers.Input((64, 6))]
    return keras.Model(windows, layers.Dense(3)(layers.Flatten()(layers.Add()(windows))))


def named_output() -> keras.Model:
    window = layers.Input((64, 6))
    return keras.Model(window, {"logits": layers.Dense(3)(layers.Flatten()(window))})


def a_label_a_sample() -> keras.Model:
    return keras.Sequential([layers.Input((64, 6)), layers.Dense(3)])


def with_lambda() -> keras.Model:
    return keras.Sequential([layers.Input((64, 6)), layers.Lambda(lambda x: x * 2), layers.Flatten(), layers.Dense(3)])


class Unregistered(layers.Layer):
    def call(self, x: Any) -> Any:
        return x * 2


def with_custom_layer() -> keras.Model:
    return keras.Sequential([layers.Input((64, 6)), Unregistered(), layers.Flatten(), layers.Dense(3)])


def with_nan() -> keras.Model:
    return dense(bias_initializer=keras.initializers.Constant(np.nan))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: dense(2), r"output \(1, 2\), expected \(1, 3\), one logit for each label"),
        (lambda: dense(window=(32, 6)), "a model that does not accept a 64 × 6 window"),
        (lambda: dense(window=(64, 3)), "a model that does not accept a 64 × 6 window"),
        (two_outputs, "2 outputs, expected"),
        (two_inputs, "a model that does not accept a 64 × 6 window"),
        (named_output, "1 outputs, expected"),
        (a_label_a_sample, r"output \(1, 64, 3\)"),
        (with_lambda, "an unreadable checkpoint .*Lambda.*without Lambda and custom layers"),
        (with_custom_layer, "an unreadable checkpoint .*Unregistered.*without Lambda and custom layers"),
        (with_nan, "NaN or infinity, expected finite weights"),
    ],
)
def test_anything_else_is_one_line(make: Callable[[], keras.Model], found: str, tmp_path: Path):
    path = saved(make(), tmp_path)
    with pytest.raises(ModelError, match=f"found {found}") as caught:
        load_checkpoint(path, CONTRACT)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["notes.md", "model", "model.tflite", "model.h5"])
def test_a_file_of_another_kind_is_named_and_not_the_contract_that_it_lacks(name: str, tmp_path: Path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ModelError, match=rf"{name}: found a file .*, expected a run folder, or a model as"):
        load_run(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_another_format_is_refused_even_if_keras_could_read_it(tmp_path: Path):
    path = saved(dense(), tmp_path, "model.h5")
    with pytest.raises(ModelError, match=r"no \.keras archive"):
        load_checkpoint(path, CONTRACT)
    with pytest.raises(ModelError, match=r"no \.keras archive"):
        load_checkpoint(path.rename(tmp_path / "model.keras"), CONTRACT)


def test_a_checkpoint_that_unpacks_to_gigabytes_is_refused_before_keras_sees_it(tmp_path: Path):
    (tmp_path / "model.keras").write_bytes(bomb("model.weights.h5", 70 << 20))
    with pytest.raises(ModelError, match=r"no \.keras archive: model\.weights\.h5 unpacks to 73,400,320 bytes"):
        load_checkpoint(tmp_path / "model.keras", CONTRACT)
