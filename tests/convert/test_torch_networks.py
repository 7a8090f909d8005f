"""PyTorch networks become full int8 within the gate, and run on a simulated sensor; PyTorch itself is not needed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pt2_files import PT2, edited, networks
from torch_windows import STEPS, windows

from deseptr.cli.main import deseptr
from deseptr.contract import ModelContract, StftSpec
from deseptr.convert import check_run, convert_run
from deseptr.tflite import load_engine, predict
from deseptr.train import CalibrationWindows
from deseptr.train.torch_program.archive import read_program

CONTRACT = ModelContract(
    labels=("a", "b", "c"), window_length=STEPS, hop_length=STEPS, stft=StftSpec(8, 4, 3), model="torch"
)


def beside_a_contract(name: str, folder: Path) -> Path:
    CONTRACT.save(folder / "contract.json")
    return Path(shutil.copy(PT2 / f"{name}.pt2", folder))


def recorded() -> CalibrationWindows:
    signals, labels = windows(600, seed=2)
    return CalibrationWindows(signals[:300], signals[300:], labels[300:], np.array(["1", "2", "3", "4"] * 75))


def test_check_says_the_operations_and_leaves_no_transposition(tmp_path: Path):
    checked = check_run(beside_a_contract("cnn", tmp_path))
    assert checked.passed, checked.refusal
    assert checked.graph is not None
    assert checked.graph.ops == {"RESHAPE": 2, "CONV_2D": 2, "MEAN": 1, "FULLY_CONNECTED": 1}
    assert checked.layers["second"] == "Conv1D"


@pytest.mark.slow
@pytest.mark.parametrize("name", networks())
def test_network_becomes_full_int8_and_gives_pytorchs_classes(name: str, tmp_path: Path):
    result = convert_run(beside_a_contract(name, tmp_path), tmp_path / "net.tflite", calibration=recorded())
    assert result.passed
    assert result.kept.lint.non_int8 == ()
    assert result.kept.deciding.reference.accuracy > 0.9
    assert result.warnings == tuple(w for w in result.warnings if "PyTorch" not in w)
    example = read_program(PT2 / f"{name}.pt2").example
    assert example is not None
    logits = predict(load_engine(tmp_path / "net.tflite"), example.windows)
    assert logits.argmax(axis=1).tolist() == example.logits.argmax(axis=1).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn", "gru", "transformer"])
def test_converted_network_runs_on_a_simulated_sensor(name: str, tmp_path: Path):
    net = beside_a_contract(name, tmp_path)
    convert_run(net, tmp_path / "net.tflite", calibration=recorded())
    words = ["device", "run", "--model", str(tmp_path / "net.tflite"), "--simulate", "synthetic:subjects=1,seconds=10"]
    result = CliRunner().invoke(deseptr, [*words, "--speed", "max", "--seconds", "5", "--json"])
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {event["label"] for event in events if "label" in event} <= {"a", "b", "c"}
    assert len(events) >= 5


@pytest.mark.slow
def test_network_that_nobody_compared_is_said_to_be(tmp_path: Path):
    CONTRACT.save(tmp_path / "contract.json")
    net = edited("cnn", tmp_path, {"extra/check.json": None})
    result = convert_run(net, tmp_path / "net.tflite", calibration=recorded())
    assert "not compared with PyTorch: the file has no check.json" in result.warnings
