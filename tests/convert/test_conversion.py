import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import ConversionError, ModelContract, ModelError, SetupError
from deseptr.convert import Conversion, Gate, Recipe, conversion, convert_run as convert_through_gate, try_recipe
from deseptr.convert.parity import Parity
from deseptr.convert.quantize import Quantized
from deseptr.report.conversion_page import convert_page
from deseptr.tflite import load_engine, predict, read_tflite
from deseptr.train import CalibrationWindows, RunFolder, TrainConfig, load_run
from deseptr.train.models.random_forest import RandomForest
from deseptr.train.training_loop import predict_logits


def convert_run(run: Path, output: Path, **settings: Any) -> Conversion:
    """Convert a run so short that no gate would let it pass."""
    return convert_through_gate(run, output, **{"gate": Gate(0.0, 1.0, -99.0), **settings})


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the tiny run that a test may break."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


def test_figures_are_those_of_the_file(tiny_run: Path, tiny_tflite: Path, tiny_conversion: Conversion):
    result = tiny_conversion
    assert result.content == tiny_tflite.read_bytes()
    assert result.passed
    assert result.kept.lint.non_int8 == ()
    held_out = CalibrationWindows.load(RunFolder(tiny_run).calibration)
    parity = result.kept.deciding
    assert parity.windows == len(held_out.held_out_labels)
    engine = load_engine(tiny_tflite)
    classes = predict(engine, held_out.held_out_windows).argmax(axis=1)
    float_classes = predict_logits(load_run(tiny_run)[0], held_out.held_out_windows).argmax(axis=1)
    assert parity.agreement == np.mean(classes == float_classes)
    assert parity.scores.accuracy == np.mean(classes == held_out.held_out_labels)
    assert json.loads(tiny_tflite.with_suffix(".json").read_text()) == result.to_dict()


def test_int8_logits_follow_the_float_ones(tiny_run: Path, tiny_tflite: Path):
    windows = CalibrationWindows.load(RunFolder(tiny_run).calibration).held_out_windows
    expected = predict_logits(load_run(tiny_run)[0], windows)
    error = predict(load_engine(tiny_tflite), windows) - expected
    assert np.sqrt((error**2).mean()) < 0.1 * expected.std()


def test_contract_inside_is_the_runs(tiny_run: Path, tiny_tflite: Path):
    of_run = ModelContract.load(RunFolder(tiny_run).contract)
    # Both special tokens of width 8.
    assert read_tflite(tiny_tflite).contract == replace(of_run, embedding_width=16)


def test_no_embedding_if_none_is_asked_for(tiny_run: Path, tiny_tflite: Path, tmp_path: Path):
    without = convert_run(tiny_run, tmp_path / "without.tflite", recipe=Recipe(embedding=False))
    assert without.contract == ModelContract.load(RunFolder(tiny_run).contract)
    windows = CalibrationWindows.load(RunFolder(tiny_run).calibration).held_out_windows
    engine, plain = load_engine(tiny_tflite), load_engine(without.path)
    assert np.array_equal(predict(engine, windows), predict(plain, windows))
    assert (engine.embedding.shape, plain.embedding) == ((16,), None)


def test_a_model_whose_embedding_is_too_noisy_is_written_without(tiny_run: Path, tiny_tflite: Path, tmp_path: Path):
    result = convert_run(tiny_run, tmp_path / "noisy.tflite", gate=Gate(0.0, 1.0, 90.0))
    assert (result.contract.embedding_width, result.passed, len(result.attempts)) == (0, True, 1)
    assert [output.shape for output in result.graph.outputs] == [(1, len(result.contract.labels))]
    windows = CalibrationWindows.load(RunFolder(tiny_run).calibration).held_out_windows
    assert np.array_equal(predict(load_engine(result.path), windows), predict(load_engine(tiny_tflite), windows))
    (warning,) = (line for line in result.warnings if "embedding" in line)
    assert re.search(r"without embedding, which is too noisy: embedding: found \d+\.\d dB .* at least 90 dB", warning)


def test_same_run_gives_same_bytes(tiny_run: Path, tiny_tflite: Path, tmp_path: Path):
    again = convert_run(tiny_run, tmp_path / "again.tflite")
    assert (tmp_path / "again.tflite").read_bytes() == tiny_tflite.read_bytes()
    # Firmware is for microcontrollers alone.
    assert (again.arena, again.edgetpu, again.firmware) == (None, None, ())
    assert {path.name for path in tmp_path.iterdir()} == {"again.tflite", "again.json"}


def test_import_loads_no_tensorflow():
    code = "import deseptr.convert, sys; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def add_a_label(path: Path) -> None:
    contract = ModelContract.load(path)
    replace(contract, labels=(*contract.labels, "flying")).save(path)


def put_nan(path: Path) -> None:
    classifier, _ = load_run(path.parent)
    weight = classifier.network.class_head.kernel
    weight.assign(np.asarray(weight) * np.nan)
    classifier.save(path)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("model.keras", Path.unlink, "model.keras: found no file"),
        ("model.keras", truncate, "model.keras: found an unreadable checkpoint"),
        ("model.keras", put_nan, "kernel: found NaN or infinity"),
        ("contract.json", Path.unlink, "contract.json: found No such file"),
        ("contract.json", truncate, "contract.json: found no JSON"),
        ("contract.json", add_a_label, r"model.keras: found output \(1, 6\), expected \(1, 7\)"),
        ("calibration.npz", Path.unlink, "calibration.npz: found no calibration windows"),
        ("calibration.npz", truncate, "calibration.npz: found no calibration windows"),
    ],
)
def test_broken_run_gives_one_line_and_no_file(run: Path, tmp_path: Path, file: str, damage, message: str):
    damage(run / file)
    with pytest.raises(ModelError, match=message) as caught:
        convert_run(run, tmp_path / "m.tflite")
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [run]


def test_missing_run_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match="nowhere: found no such folder or file"):
        convert_run(tmp_path / "nowhere", tmp_path / "m.tflite")


def test_teacher_converts_too(run: Path, tmp_path: Path):
    result = convert_run(run / "teacher.keras", tmp_path / "m.tflite")
    assert result.graph.ops["CONV_2D"] == 2 * 2 + 1 + 16 + 3 + 1


def test_model_on_windows_is_found_by_a_process_that_has_not_met_it(random_model, contract, windows, tmp_path: Path):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    random_model("cnn-har").save(folder.model)
    contract.save(folder.contract)
    CalibrationWindows(windows, windows, np.arange(6) % 3, np.array(["1"] * 6)).save(folder.calibration)
    assert convert_run(folder.path, tmp_path / "m.tflite").graph.ops["CONV_2D"] == 5


def test_forest_is_refused(run: Path, tmp_path: Path):
    rng = np.random.default_rng(0)
    forest = RandomForest(6, trees=2).fit(rng.normal(size=(12, 128, 6)), np.arange(12) % 6, 50.0)
    forest.save(RunFolder(run).forest)
    TrainConfig(model="random-forest").save(RunFolder(run).config)
    for path in (run, RunFolder(run).forest):
        with pytest.raises(ConversionError, match="found a random forest, a model that is not a network"):
            convert_run(path, tmp_path / "m.tflite")


def test_forest_is_refused_before_anything_is_read(run: Path, tmp_path: Path):
    TrainConfig(model="random-forest").save(RunFolder(run).config)
    for file in (RunFolder(run).contract, RunFolder(run).calibration, RunFolder(run).model):
        file.unlink()
    (run / "model.joblib").write_bytes(b"a pickle of an earlier version")
    for path in (run, run / "model.joblib"):
        with pytest.raises(ConversionError, match="found a random forest, a model that is not a network"):
            convert_run(path, tmp_path / "m.tflite")


def test_unwritable_output_is_named(run: Path, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="choose another output path"):
        convert_run(run, tmp_path / "file" / "m.tflite")


@pytest.mark.parametrize("name", ["m.tflite", "m.json"])
def test_file_of_something_else_is_not_replaced(run: Path, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b'{"format": "mine"}')
    with pytest.raises(SetupError, match=rf"m\.{name[2:]}: found something else.*; choose another output path"):
        convert_run(run, tmp_path / "m.tflite")
    assert (tmp_path / name).read_bytes() == b'{"format": "mine"}'


def test_attempts_are_counted_where_there_was_more_than_one(
    run: Path, tmp_path: Path, tiny_conversion: Conversion, monkeypatch: pytest.MonkeyPatch
):
    failed = replace(tiny_conversion.kept, failures=("never good enough",))
    monkeypatch.setattr(conversion, "try_recipe", lambda *_: failed)
    following = [Recipe(calibration_windows=1), None, None]
    monkeypatch.setattr(conversion, "next_recipe", lambda _: following.pop(0))
    monkeypatch.setattr(conversion, "_other_mode", lambda *_: None)
    for attempts in (" after 2 attempts", ""):
        with pytest.raises(ConversionError, match=rf"not the same in int8{attempts} \(never good enough\), exp"):
            convert_run(run, tmp_path / "m.tflite")


@pytest.fixture
def _once_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The converter works once for a recipe; it would give the same bytes again."""
    quantize, made = try_recipe.quantize_run, {}

    def once(run: Path, recipe: Recipe, calibration: CalibrationWindows | None) -> Quantized:
        if recipe not in made:
            made[recipe] = quantize(run, recipe, calibration)
        return made[recipe]

    monkeypatch.setattr(try_recipe, "quantize_run", once)


class Impassable(Gate):
    def failures(self, parity: Parity) -> tuple[str, ...]:
        return ("never good enough",)


@pytest.mark.usefixtures("_once_a_recipe")
@pytest.mark.parametrize("io", ["int8", pytest.param("float32", marks=pytest.mark.slow)])
def test_model_that_fails_is_tried_with_its_worst_layers_in_float_and_the_best_is_kept(
    run: Path, tmp_path: Path, io: str
):
    impossible = Impassable()
    refused: list[Conversion] = []
    with pytest.raises(
        ConversionError, match=r"not the same in int8 after 2 attempts \(never.* try another --mode, lower"
    ):
        convert_run(run, tmp_path / "m.tflite", gate=impossible, refused=refused.append)
    assert sorted(tmp_path.iterdir()) == [run]
    (page,) = map(convert_page, refused)
    assert "Failed the gate, not written: never good enough." in page
    forced = convert_run(run, tmp_path / "m.tflite", recipe=Recipe(io=io), gate=impossible, force=True)
    assert not forced.passed
    assert any("written by force" in warning for warning in forced.warnings)
    agreements = [tried.deciding.agreement for tried in forced.attempts]
    assert agreements == sorted(agreements)
    mixed = next(tried for tried in forced.attempts if tried.recipe.float_layers)
    assert len(mixed.recipe.float_layers) == 5
    assert mixed.lint.findings == ()
    assert mixed.lint.dequantize > 0
