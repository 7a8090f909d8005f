"""Small Keras models of a user's own become full int8 within the gate, whatever their layers."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras_models import CHANNELS, CLASSES, MODELS, STEPS, made

from deseptr.contract import ConversionError, ModelContract, StftSpec
from deseptr.convert import Gate, Recipe, convert_run
from deseptr.convert.parity import Parity
from deseptr.tflite import load_engine, predict
from deseptr.train import CalibrationWindows

CONTRACT = ModelContract(
    labels=("a", "b", "c"), window_length=STEPS, hop_length=STEPS, stft=StftSpec(8, 4, 3), model="plain"
)
# The second has a gradient of its own, which the converter cannot save.
FAST = ("normalization same", "silu")
# Of those that learn slowly.
EPOCHS = {"dot attention": 80, "softmax dense": 80}


@pytest.fixture(scope="module")
def recorded() -> CalibrationWindows:
    """Windows of three classes that differ in rate and posture, of three people."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), 200)
    time = np.arange(STEPS) / 20
    phase = (labels + 1)[:, None, None] * time[:, None] + rng.uniform(size=(len(labels), 1, CHANNELS))
    swing = np.sin(2 * np.pi * phase) * [8, 8, 8, 2, 2, 2]
    posture = np.stack([np.zeros(len(labels)), 9.8 - 3 * labels, 4.0 * labels, *np.zeros((3, len(labels)))], axis=1)
    windows = (swing + posture[:, None] + rng.normal(size=(len(labels), STEPS, CHANNELS)) * 0.5).astype(np.float32)
    return CalibrationWindows(windows[::2], windows[1::2], labels[1::2], np.array(["1", "2", "3"] * 100))


def learned(name: str, recorded: CalibrationWindows, folder: Path) -> Path:
    """The model of a name, trained for as long as it takes to tell the classes apart, with its contract beside it."""
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    probabilities = np.allclose(np.asarray(model(recorded.windows[:2])).sum(axis=1), 1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not probabilities)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    model.fit(recorded.windows, recorded.held_out_labels, epochs=EPOCHS.get(name, 30), batch_size=50, verbose=0)
    model.save(folder / "net.keras")
    CONTRACT.save(folder / "contract.json")
    return folder / "net.keras"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in MODELS]
)
def test_model_becomes_full_int8_within_the_gate(name: str, recorded: CalibrationWindows, tmp_path: Path):
    net = learned(name, recorded, tmp_path)
    result = convert_run(net, tmp_path / "net.tflite", calibration=recorded)
    assert result.passed
    assert result.kept.lint.non_int8 == ()
    # One that has learned nothing would agree with anything; chance is a third.
    assert result.kept.deciding.reference.accuracy > 0.8
    logits = predict(load_engine(tmp_path / "net.tflite"), recorded.held_out_windows)
    expected = np.asarray(keras.models.load_model(net)(recorded.held_out_windows))
    assert np.mean(logits.argmax(axis=1) == expected.argmax(axis=1)) >= 0.95


@pytest.mark.slow
def test_last_layer_in_float_is_accepted(recorded: CalibrationWindows, tmp_path: Path):
    net = learned("softmax head", recorded, tmp_path)
    last = convert_run(net, tmp_path / "int8.tflite", calibration=recorded).graph.nodes[-1]
    assert last.op == "FULLY_CONNECTED"
    result = convert_run(net, tmp_path / "net.tflite", Recipe(float_layers=(last.name,)), calibration=recorded)
    assert result.passed
    in_float = [operation.split()[0] for operation in result.kept.lint.non_int8]
    assert in_float == ["DEQUANTIZE", "FULLY_CONNECTED", "QUANTIZE"]
    logits = predict(load_engine(tmp_path / "net.tflite"), recorded.held_out_windows)
    assert np.mean(logits.argmax(axis=1) == result.kept.quantized.logits.argmax(axis=1)) >= 0.95


def saved(model: keras.Model, folder: Path) -> Path:
    model.save(folder / "net.keras")
    CONTRACT.save(folder / "contract.json")
    return folder / "net.keras"


layers = keras.layers
REFUSED = {
    "masking": (
        lambda: [layers.Masking(name="mask_zeros"), layers.LSTM(3)],
        r"net.keras: layer 'mask_zeros' \(Masking\): found a mask, .*; write instead: the model without it",
    ),
    "convolutional lstm": (
        lambda: [layers.Reshape((2, 5, 6)), layers.ConvLSTM1D(4, 3, name="both"), layers.Flatten()],
        r"layer 'both' \(ConvLSTM1D\): found a loop .*; write instead: Conv1D, then LSTM or GRU",
    ),
    "stateful": (
        lambda: [layers.GRU(3, name="kept", stateful=True)],
        r"layer 'kept' \(GRU\): found a state that is kept between windows .* stateful=False",
    ),
    "softplus": (
        lambda: [layers.Conv1D(4, 3, activation="softplus", name="soft"), layers.Flatten()],
        r"found op versions: LOG \(layer 'soft' \(Conv1D\): version 2\).*"
        r"write instead: elu, silu or gelu; or convert with --mode float32",
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "masking" else pytest.mark.slow) for name in REFUSED]
)
def test_refusal_names_the_layer_and_what_would_work(name: str, recorded: CalibrationWindows, tmp_path: Path):
    between, line = REFUSED[name]
    shape = {"batch_shape": (1, STEPS, CHANNELS)} if name == "stateful" else {"shape": (STEPS, CHANNELS)}
    net = saved(keras.Sequential([layers.Input(**shape), *between(), layers.Dense(3)]), tmp_path)
    with pytest.raises(ConversionError, match=line):
        convert_run(net, tmp_path / "net.tflite", calibration=recorded)


class Never(Gate):
    """A gate that nothing passes."""

    def failures(self, parity: Parity) -> tuple[str, ...]:
        return ("never",)


def test_a_later_attempt_that_breaks_hides_no_earlier_one(
    monkeypatch: pytest.MonkeyPatch, recorded: CalibrationWindows, tmp_path: Path
):
    from deseptr.convert import conversion

    attempts = []
    really = conversion.try_recipe

    def try_recipe(*arguments):
        attempts.append(arguments[1])
        if len(attempts) > 1:
            raise ConversionError("later", found="float islands: SOFTMAX", expected="int8", next_step="none")
        return really(*arguments)

    monkeypatch.setattr(conversion, "try_recipe", try_recipe)
    net = saved(made("softmax head"), tmp_path)
    forced = convert_run(net, tmp_path / "net.tflite", calibration=recorded, gate=Never(), force=True)
    assert forced.written
    assert forced.path.exists()
    assert [tried["failures"] for tried in forced.to_dict()["earlier_attempts"]] == [
        ["later: found float islands: SOFTMAX, expected int8; none"]
    ]
