"""``deseptr convert --check``: whether a model would convert, without recordings."""

import json
from pathlib import Path

import keras
import pytest
from click.testing import CliRunner
from keras_models import CHANNELS, STEPS, made

from deseptr.cli.convert import convert
from deseptr.contract import ModelContract, StftSpec

layers = keras.layers


def saved(model: keras.Model, folder: Path) -> Path:
    contract = ModelContract(
        labels=("a", "b", "c"), window_length=STEPS, hop_length=STEPS, stft=StftSpec(8, 4, 3), model="plain"
    )
    model.save(folder / "net.keras")
    contract.save(folder / "contract.json")
    return folder / "net.keras"


def test_model_that_would_convert_is_said_to_with_its_operations(tmp_path: Path):
    result = CliRunner().invoke(convert, [str(saved(made("softmax head"), tmp_path)), "--check", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["passed"]
    assert found["refusal"] is None
    assert found["ops"] == {"RESHAPE": 2, "CONV_2D": 1, "MEAN": 1, "FULLY_CONNECTED": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contract.json", "net.keras"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (layers.Masking(name="zeros"), "layer 'zeros' (Masking): found a mask"),
        (layers.Dense(4, activation="softplus", name="soft"), "layer 'soft' (Dense)"),
    ],
)
def test_model_that_would_not_is_one_line_with_its_layer(layer: keras.Layer, line: str, tmp_path: Path):
    model = keras.Sequential([layers.Input((STEPS, CHANNELS)), layer, layers.Flatten(), layers.Dense(3)])
    result = CliRunner().invoke(convert, [str(saved(model, tmp_path)), "--check"])
    assert result.exit_code == 2
    (said,) = result.stderr.splitlines()
    assert line in said
    assert "write instead" in said
