import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.convert import convert, output_names
from deseptr.contract import DataError, ModelContract, ModelError, SetupError
from deseptr.convert import convert_run
from deseptr.data import load_dataset, save_npz
from deseptr.evaluate.predictor import calibration_for, windows_for
from deseptr.train import TrainConfig

TINY_DATA = "synthetic:subjects=4,seconds=12"


def run(*arguments: object):
    """Convert a run so short that the gate's own limits would not let it pass."""
    limits = ("--agreement", 1, "--loss", 100)
    return CliRunner().invoke(convert, [str(argument) for argument in (*arguments, *limits)])


def test_output_may_not_be_the_input(tiny_run: Path):
    before = (tiny_run / "model.keras").read_bytes()
    assert run(tiny_run / "model.keras", "-o", tiny_run / "model.keras").exit_code == 2
    assert (tiny_run / "model.keras").read_bytes() == before


def test_page_that_is_something_else_is_refused_before_the_conversion(tiny_run: Path, tmp_path: Path):
    (tmp_path / "m.html").write_text("<p>mine</p>")
    result = run(tiny_run, "-o", tmp_path / "m.tflite")
    assert isinstance(result.exception, SetupError)
    assert "m.html: found something else, which would be lost, expected a page of deseptr" in str(result.exception)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("m.html", "<p>mine</p>")]


def test_folds_of_several_cross_validations_have_different_names():
    runs = [Path(f"runs/{name}/fold-{fold}/run") for name in ("a", "b") for fold in (0, 1)] + [Path("runs/x")]
    assert output_names(runs) == ["a-fold-0-run", "a-fold-1-run", "b-fold-0-run", "b-fold-1-run", "x"]


@pytest.fixture
def bare(tiny_run: Path, tmp_path: Path) -> Path:
    """A checkpoint with its contract and no calibration windows beside it."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("model.keras", "contract.json"):
        shutil.copy(tiny_run / name, folder)
    return folder


def in_g(path: Path) -> Path:
    """The recordings that the tiny run learned from, with acceleration in g and called m/s²."""
    data = load_dataset(TINY_DATA)
    scale = np.array([1 / 9.81] * 3 + [1] * 3, np.float32)
    save_npz(replace(data, recordings=tuple(replace(r, signals=r.signals * scale) for r in data.recordings)), path)
    return path


def test_recordings_replace_calibration_windows_and_json_has_the_keys_of_every_report(bare: Path, tmp_path: Path):
    without = ("--no-streaming", "--no-embedding")
    result = run(bare, "-o", tmp_path / "m.tflite", "--data", TINY_DATA, "--test-subjects", "2,3", "--json", *without)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["streaming"] == {"written": False, "reason": "not asked for", "bit_gate": []}
    assert set(figures["float"]["per_subject_f1"]) == {"2", "3"}
    assert figures["warnings"] == []
    assert figures["bytes"] == (tmp_path / "m.tflite").stat().st_size
    assert figures["lint"]["non_int8"] == []
    assert figures["gate"] == {"agreement": 0.01, "loss": 1.0}
    assert {"passed", "recipe", "agreement", "float", "converted", "sha256", "worst_layers"} <= figures.keys()
    assert figures == json.loads((tmp_path / "m.json").read_text())


def test_unlikely_unit_causes_a_note_above_the_summary_of_size_operations_and_agreement(bare: Path, tmp_path: Path):
    result = run(bare, "-o", tmp_path / "m.tflite", "--data", in_g(tmp_path / "g.npz"))
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[2] for line in lines] == ["acc_x", "acc_y", "acc_z"]
    assert all(line.endswith("check the unit") for line in lines)
    assert "full int8, contract inside" in result.stdout
    assert re.search(r"operations for pi: \d+ CONV_2D, ", result.stdout)
    assert "same class as the checkpoint on" in result.stdout
    assert re.search(r"^streaming: ", result.stdout, re.MULTILINE)
    assert result.stderr.splitlines()[-1] == f"next: deseptr evaluate {tmp_path / 'm.tflite'} {tmp_path / 'g.npz'}"


def test_missing_calibration_windows_lead_to_recordings(bare: Path, tmp_path: Path):
    with pytest.raises(ModelError) as caught:
        convert_run(bare, tmp_path / "m.tflite")
    assert str(caught.value) == (
        f"{bare / 'calibration.npz'}: found no calibration windows (No such file or directory), "
        "expected the file that `deseptr train` writes beside a checkpoint; "
        "convert with --data RECORDINGS, or train again"
    )


def test_subjects_without_recordings_are_refused(bare: Path):
    result = run(bare, "--test-subjects", "1")
    assert result.exit_code == 2
    assert "--test-subjects goes with --data" in result.stderr


def main_on(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deseptr.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_model_with_a_lambda_is_one_line(tmp_path: Path):
    import keras

    layers = keras.layers
    window = layers.Input((128, 6))
    keras.Model(window, layers.Dense(5)(layers.Flatten()(layers.Lambda(lambda x: x)(window)))).save(
        tmp_path / "mine.keras"
    )
    ModelContract(labels=tuple("abcde")).save(tmp_path / "contract.json")
    for verb, more in (("evaluate", [TINY_DATA]), ("convert", ["--data", TINY_DATA])):
        result = main_on(verb, tmp_path / "mine.keras", *more)
        assert result.returncode == 2
        assert len(result.stderr.splitlines()[-1:]) == 1
        assert "Traceback" not in result.stderr


def test_models_channels_are_picked_by_name():
    contract = ModelContract(
        labels=load_dataset(TINY_DATA).label_names,
        channels=("gyro_z", "acc_x"),
        units=("rad/s", "m/s^2"),
        input_range=(10.0, 40.0),
    )
    two = windows_for(contract, load_dataset(TINY_DATA)).signals
    six = windows_for(ModelContract(labels=contract.labels), load_dataset(TINY_DATA)).signals
    np.testing.assert_array_equal(two, six[..., [5, 0]])
    with pytest.raises(DataError, match="expected mag_x; use recordings that have the model's"):
        windows_for(replace(contract, channels=("mag_x",), units=("T",), input_range=(1.0,)), load_dataset(TINY_DATA))


@pytest.mark.parametrize("subjects", [("1", "2", "3", "4"), ("9",)])
def test_impossible_split_of_the_recordings_is_one_line(subjects: tuple[str, ...]):
    data = load_dataset(TINY_DATA)
    with pytest.raises(DataError):
        calibration_for(ModelContract(labels=data.label_names), data, subjects)


def test_calibration_is_of_other_subjects_than_the_held_out_ones():
    data = load_dataset(TINY_DATA)
    contract = ModelContract(labels=data.label_names)
    known = calibration_for(contract, data, ("2",))
    windows = windows_for(contract, data)
    assert set(known.held_out_subjects) == {"2"}
    np.testing.assert_array_equal(known.held_out_windows, windows.of_subjects(["2"]).signals)
    others = {window.tobytes() for window in windows.of_subjects(["1", "3", "4"]).signals}
    assert {window.tobytes() for window in known.windows} <= others


@pytest.fixture
def shelf(tiny_run: Path, tmp_path: Path) -> Path:
    """A folder of two runs, of which one is broken, and of something else."""
    folder = tmp_path / "runs"
    for name in ("a", "broken"):
        shutil.copytree(tiny_run, folder / name)
    (folder / "broken" / "model.keras").write_bytes(b"none")
    (folder / "notes").mkdir()
    return folder


def test_of_several_runs_each_has_a_row_also_where_none_is_converted(tmp_path: Path):
    for name in ("forest", "empty"):
        (tmp_path / name).mkdir()
        ModelContract(labels=("a", "b")).save(tmp_path / name / "contract.json")
    TrainConfig(model="random-forest").save(tmp_path / "forest" / "config.json")
    result = run(tmp_path / "forest", tmp_path / "empty", "-o", tmp_path / "models")
    assert result.exit_code == 2
    rows = [line.split() for line in result.stdout.splitlines()]
    # A path may be broken in the middle.
    assert [row[-6:] for row in rows if row[-1:] == ["–"]] == [
        ["refused", *"–––––"],
        ["unusable", *"–––––"],
    ]
    assert [line.split(": found")[0] for line in result.stderr.splitlines()] == [
        f"error: {tmp_path / 'forest'}",
        f"error: {tmp_path / 'empty' / 'calibration.npz'}",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("wildcard", [False, True])
def test_broken_run_stops_no_other(shelf: Path, tmp_path: Path, wildcard: bool):
    given = sorted(path for path in shelf.iterdir() if path.name != "notes") if wildcard else [shelf]
    result = run(*given, "-o", tmp_path / "models")
    assert result.exit_code == 2
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["a.html", "a.json", "a.tflite"]
    rows = result.stdout.splitlines()
    assert any("a.tflite" in row for row in rows)
    assert any("unusable" in row for row in rows)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "broken/model.keras: found an unreadable checkpoint" in errors[0]


def test_a_run_that_is_named_twice_is_refused(tiny_run: Path, tmp_path: Path):
    result = run(tiny_run, tiny_run, "-o", tmp_path / "models")
    assert result.exit_code == 2
    assert "is named twice" in result.stderr
    assert not (tmp_path / "models").exists()
