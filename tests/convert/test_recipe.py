"""Valid recipes, and that every mode gives the model that was trained."""

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from deseptr.cli import convert as command
from deseptr.contract import ConversionError
from deseptr.convert import Gate, Recipe, convert_run, recipe
from deseptr.convert.targets import TARGETS
from deseptr.convert.try_recipe import next_recipe
from deseptr.tflite import load_engine, predict
from deseptr.train import CalibrationWindows, RunFolder, load_run
from deseptr.train.training_loop import predict_logits


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"mode": "int4"}, "--mode: found int4, expected one of int8, int16x8, float16, dynamic, float32"),
        ({"io": "int16"}, "--io with --mode int8: found int16, expected one of int8, float32"),
        ({"mode": "int16x8", "io": "int8"}, "--io with --mode int16x8: found int8, expected one of int16, float32"),
        ({"mode": "float16", "io": "int8"}, "--io with --mode float16: found int8, expected one of float32"),
        ({"mode": "dynamic", "io": "int8"}, "--io with --mode dynamic: found int8, expected one of float32"),
        ({"mode": "float32", "io": "int16"}, "--io with --mode float32: found int16, expected one of float32"),
        ({"target": "pico"}, "--target: found pico, expected one of pi, micro, coral"),
        ({"target": "coral", "mode": "int16x8"}, "--mode with --target coral: found int16x8, expected one of int8"),
        ({"target": "micro", "mode": "dynamic"}, "--mode with --target micro: found dynamic, expected one of int8, "),
        (
            {"mode": "int16x8", "float_layers": ("a",)},
            "--mode with layers in float: found int16x8, expected one of int8",
        ),
        ({"calibration_windows": 0}, "calibration windows: found 0, expected one of 1, 2, …"),
    ],
)
def test_wrong_combinations_are_one_line(settings: dict[str, Any], line: str):
    with pytest.raises(ConversionError) as caught:
        Recipe(**settings)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "io"),
    [("int8", "int8"), ("int16x8", "int16"), ("float16", "float32"), ("dynamic", "float32"), ("float32", "float32")],
)
def test_io_is_the_modes_own_by_default(mode: str, io: str):
    assert Recipe(mode).io == io
    assert Recipe(mode, "float32").io == "float32"
    assert Recipe(mode).quantised == (io != "float32")


def test_recipe_is_plain_json():
    assert Recipe(float_layers=("a",)).to_dict() == {
        "mode": "int8",
        "io": "int8",
        "target": "pi",
        "calibration_windows": 256,
        "float_layers": ["a"],
        "embedding": True,
    }


def test_command_offers_what_there_is():
    offered = {p.name: tuple(p.type.choices) for p in command.convert.params if isinstance(p.type, click.Choice)}
    assert offered == {"mode": recipe.MODES, "io": recipe.IO_TYPES, "target": tuple(TARGETS)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "io", "least"),
    [
        ("int8", "float32", 0.9),
        ("int16x8", "int16", 0.99),
        ("int16x8", "float32", 0.99),
        ("float16", "float32", 0.99),
        ("dynamic", "float32", 0.9),
        ("float32", "float32", 0.99),
    ],
)
def test_every_mode_names_the_checkpoints_classes(mode: str, io: str, least: float, tiny_run: Path, tmp_path: Path):
    """A run that has learned next to nothing has near ties, which 8 bits may tip."""
    result = convert_run(tiny_run, tmp_path / "m.tflite", Recipe(mode, io), gate=Gate(0.0, 1.0, -99.0))
    assert len(result.attempts) == 1
    assert result.kept.deciding.agreement >= least
    windows = CalibrationWindows.load(RunFolder(tiny_run).calibration).held_out_windows
    expected = predict_logits(load_run(tiny_run)[0], windows)
    found = predict(load_engine(tmp_path / "m.tflite"), windows)
    assert np.mean(found.argmax(1) == expected.argmax(1)) == result.kept.deciding.agreement


@pytest.mark.slow
def test_last_resort_keeps_the_worst_layers_in_float(tiny_run: Path, tmp_path: Path):
    first = convert_run(tiny_run, tmp_path / "m.tflite", gate=Gate(0.0, 1.0, -99.0)).kept
    following = next_recipe(first)
    assert following is not None
    result = convert_run(tiny_run, tmp_path / "m.tflite", following, gate=Gate(0.0, 1.0, -99.0))
    last = result.kept
    assert last.recipe.float_layers == tuple(layer.layer for layer in first.worst)
    kept_in_float = {node.name for node in result.graph.nodes if "FLOAT32" in node.types} - {""}
    assert set(last.recipe.float_layers) <= kept_in_float
    assert [tensor.type for tensor in (*result.graph.inputs, *result.graph.outputs)] == ["INT8"] * 3
    assert {layer.layer for layer in last.layers if layer.lsb_rms is None} >= set(last.recipe.float_layers)
