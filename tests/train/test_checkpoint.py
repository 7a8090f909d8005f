"""Valid checkpoints: a classifier of this package or a plain Keras model, with a contract that fits."""

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hostile_files import bomb
from keras.src.backend.common import global_state

from deseptr.contract import ModelContract, ModelError
from deseptr.train.checkpoint import load_checkpoint, load_run
from deseptr.train.classifier import WindowClassifier
from deseptr.train.config import LIMITS, TrainConfig
from deseptr.train.declared_weights import too_many_declared
from deseptr.train.layer_outputs import operations_of
from deseptr.train.models import SepTr
from deseptr.train.models.tokens import MOST_BLOCKS
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
        (
            lambda: dense(window=(32, 6)),
            "a model that does not accept a 64 × 6 window but 32 × 6, expected .* its window_s",
        ),
        (lambda: dense(window=(64, 3)), "a model that does not accept a 64 × 6 window but 64 × 3, expected"),
        (two_outputs, "2 outputs, expected"),
        (two_inputs, "a model that does not accept a 64 × 6 window"),
        (named_output, "1 output, expected"),
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


def unallocated(*between: keras.layers.Layer) -> keras.Model:
    """A model of which no variable has a value."""
    before = global_state.get_global_attribute("uninitialized_variables")
    try:
        with keras.StatelessScope(initialize_variables=False):
            window = layers.Input((64, 6))
            x = window
            for layer in between:
                x = layer(x)
            return keras.Model(window, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))
    finally:
        global_state.set_global_attribute("uninitialized_variables", before)


def bombed(model: keras.Model, folder: Path) -> Path:
    """A checkpoint of some KB with the configuration of a model and the weights of a tiny one."""
    return with_config(keras.saving.serialize_keras_object(model), folder)


def with_config(config: dict[str, Any], folder: Path) -> Path:
    """A checkpoint with a configuration and the weights of a tiny model."""
    path = saved(dense(), folder, "tiny.keras")
    with zipfile.ZipFile(path) as tiny, zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name in tiny.namelist():
            archive.writestr(name, json.dumps(config) if name == "config.json" else tiny.read(name))
    return folder / "model.keras"


@pytest.mark.parametrize(
    "between",
    [
        lambda: [layers.Dense(100_000), layers.Dense(100_000)],
        lambda: [layers.LSTM(50_000, return_sequences=True)],
        lambda: [layers.Dense(30_000, kernel_initializer="orthogonal"), layers.Dense(30_000)],
        lambda: [layers.TimeDistributed(layers.Dense(10**9))],
    ],
    ids=["dense", "lstm", "slow to initialise", "wrapped"],
)
def test_a_small_file_that_declares_huge_layers_is_refused_before_any_weight_is_initialised(
    between: Callable[[], list[keras.layers.Layer]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = bombed(unallocated(*between()), tmp_path)
    initialised: list[tuple[int, ...]] = []
    monkeypatch.setattr(keras.Variable, "_initialize", lambda self, value: initialised.append(self.shape))
    with pytest.raises(ModelError, match=r"more weights declared than the [\d,]+ bytes of model\.weights\.h5 have"):
        load_checkpoint(path, CONTRACT)
    assert initialised == []


@pytest.mark.parametrize(
    ("between", "found"),
    [
        (lambda x: layers.UpSampling1D(10**9, name="up")(x), "up: found a layer that makes 384,000,000,000 numbers"),
        (lambda x: layers.ZeroPadding1D((0, 10**9), name="pad")(x), "pad: found a layer that makes 6,000,000,384"),
        (lambda x: layers.Conv1DTranspose(3, 1, strides=10**9, name="far")(x), "far: found a layer that makes 192,00"),
        (lambda x: layers.RepeatVector(10**9, name="again")(layers.Flatten()(x)), "again: found a layer that makes 3"),
        (lambda x: keras.ops.tile(x, (1, 10**9, 1)), "tile: found a layer that makes 384,000,000,000 numbers"),
        (
            lambda x: keras.Sequential([layers.Input((64, 6)), layers.UpSampling1D(10**9, name="inner")])(x),
            "inner: found a layer that makes 384,000,000,000 numbers",
        ),
    ],
    ids=["repeated", "padded", "strided", "vector", "operation", "nested"],
)
def test_a_layer_that_makes_a_window_huge_is_refused_before_it_runs(
    between: Callable[[Any], Any], found: str, tmp_path: Path
):
    window = layers.Input((64, 6))
    model = keras.Model(window, layers.Dense(3)(layers.GlobalAveragePooling1D()(between(window))))
    with pytest.raises(ModelError, match=found):
        load_checkpoint(saved(model, tmp_path), CONTRACT)


@pytest.mark.slow  # TensorFlow waits 10 s for memory that others might give back.
def test_what_no_layer_of_a_functional_model_shows_is_refused_in_bounded_memory(tmp_path: Path):
    network = keras.Sequential([layers.Input((None, 6)), layers.GlobalAveragePooling1D(), layers.Dense(3)])
    model = WindowClassifier(layers.UpSampling1D(10**9), network)
    model.build((None, 64, 6))
    with pytest.raises(ModelError, match="takes more than 4 GiB of memory for one window, or than there is"):
        load_checkpoint(saved(model, tmp_path), CONTRACT)


def test_looking_at_what_is_declared_changes_neither_names_nor_seeds():
    model = keras.Sequential([layers.Input((64, 6)), layers.Dropout(0.5), layers.Dense(3)])
    config = keras.saving.serialize_keras_object(model)
    keras.utils.clear_session()
    random.seed(3)
    assert too_many_declared(config, 1000) is None
    assert too_many_declared(config, 100) == "weights"
    assert (layers.Dense(1).name, layers.Dropout(0).name) == ("dense", "dropout")
    drawn = random.random()
    random.seed(3)
    layers.Dense(1), layers.Dropout(0)
    assert random.random() == drawn


def test_a_classifier_can_be_looked_at_again():
    """Its ``from_config`` takes its parts out of the configuration."""
    network = keras.Sequential([layers.Input((64, 6)), layers.Flatten(), layers.Dense(30)])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(WindowClassifier(layers.ReLU(), network))))
    assert [too_many_declared(config, 40_000) for _ in range(2)] == ["weights", "weights"]
    assert too_many_declared(config, 60_000) is None


def test_a_layer_that_is_used_twice_is_counted_once(tmp_path: Path):
    shared = layers.Dense(6000)
    window = layers.Input((64, 6))
    pooled = layers.Flatten()(window)
    twice = keras.Model(window, layers.Dense(3)(layers.Add()([shared(pooled), shared(pooled * 2)])))
    nested = keras.Model(window, layers.Add()([twice(window), keras.Model(window, twice(window))(window)]))
    assert load_checkpoint(saved(nested, tmp_path), CONTRACT).count_params() == twice.count_params()


def test_a_wrapper_that_builds_a_layer_and_two_copies_of_it_is_taken(tmp_path: Path):
    model = keras.Sequential([layers.Input((64, 6)), layers.Bidirectional(layers.SimpleRNN(700)), layers.Dense(3)])
    assert load_checkpoint(saved(model, tmp_path), CONTRACT).count_params() == model.count_params()


def nested(levels: int, window: tuple[int | None, int] = (64, 6)) -> keras.Model:
    """A model that calls another ten times, which calls another ten times, and so on."""
    inner: Any = layers.Identity()
    for _ in range(levels):
        incoming = x = layers.Input(window)
        for _ in range(10):
            x = inner(x)
        inner = keras.Model(incoming, x)
    own = layers.Input(window)
    return keras.Model(own, layers.Dense(3)(layers.GlobalAveragePooling1D()(inner(own))))


def test_the_operations_of_nested_models_are_those_that_run(monkeypatch: pytest.MonkeyPatch):
    model, ran = nested(2), []
    monkeypatch.setattr(layers.Identity, "call", lambda self, inputs: ran.append(1) or inputs)
    model(np.zeros((1, 64, 6), np.float32))
    # Besides: calls of the ten models and of the one, inputs, and what follows.
    assert len(ran) == 100 < operations_of(model) < 150


def test_models_that_call_each_other_without_end_are_refused_before_they_run(tmp_path: Path):
    with pytest.raises(ModelError, match=r"found a model that runs 1\.\d+e\+09 operations for one window") as caught:
        load_checkpoint(saved(nested(9), tmp_path), CONTRACT)
    assert "\n" not in str(caught.value)


def test_models_that_are_traced_without_end_are_refused_while_they_are_built(tmp_path: Path):
    config = keras.saving.serialize_keras_object(nested(9, (None, 6)))
    # Of another shape than it was made for, a model is traced anew at each call.
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, 64, 6]
    path = with_config(config, tmp_path)
    with pytest.raises(ModelError, match="more than 20,000 layers and operations declared") as caught:
        load_checkpoint(path, CONTRACT)
    assert "\n" not in str(caught.value)


def test_an_absurd_depth_is_refused_before_a_block_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = json.dumps(keras.saving.serialize_keras_object(SepTr(3, dim=4, patch=2, name="septr")))
    deep = json.loads(config.replace('"depth": 1', '"depth": 1000000'))
    made: list[str] = []
    monkeypatch.setattr(SepTr, "block", lambda self, name: made.append(name))
    path = with_config(deep, tmp_path)
    with pytest.raises(ModelError, match=r"an unreadable checkpoint .*`depth` must be 1 to 128"):
        load_checkpoint(path, CONTRACT)
    assert made == []


def test_a_training_may_be_as_deep_as_its_settings_allow():
    assert LIMITS["depth"].allow(MOST_BLOCKS // 2)
    assert not LIMITS["depth"].allow(MOST_BLOCKS // 2 + 1)


@pytest.mark.parametrize("name", ["depth", "dim", "heads", "teacher_width", "window_s", "batch_size"])
def test_absurd_settings_of_a_run_are_refused_in_a_line(name: str, tmp_path: Path):
    TrainConfig().save(tmp_path / "config.json")
    content = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**content, name: 10**9}))
    with pytest.raises(ModelError, match=rf"setting {name}: found 1000000000, expected") as caught:
        TrainConfig.load(tmp_path / "config.json")
    assert "\n" not in str(caught.value)
