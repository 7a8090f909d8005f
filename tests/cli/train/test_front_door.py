"""What `deseptr train` says of its data before and after, and how it is chosen."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.train.train import train
from deseptr.contract import ModelContract
from deseptr.data import Dataset, Recording, load_dataset, save_dataset
from deseptr.train import RunFolder

DATA = "synthetic:subjects=4,seconds=12"
FOREST = ["--model", "random-forest"]


def run(*arguments: object):
    return CliRunner().invoke(train, list(map(str, arguments)))


def contract_of(path: Path) -> ModelContract:
    return ModelContract.load(RunFolder(path).contract)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people at 20 Hz, whose runs of a label are a second long."""
    rng = np.random.default_rng(0)
    recordings = [
        Recording(rng.normal(size=(400, 6)).astype(np.float32) + 5, 20.0, who, np.arange(400) // 20 % 3, "1")
        for who in ("ada", "ben", "cem", "dora")
    ]
    path = tmp_path_factory.mktemp("watch") / "watch.npz"
    save_dataset(Dataset(tuple(recordings), ("sit", "walk", "run")), path)
    return path


def test_classes_are_counted_before_the_first_epoch(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--test-subjects", "4", *FOREST)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stderr.splitlines()]
    (at,) = [number for number, words in enumerate(lines) if words[:1] == ["walking"]]
    assert lines[at][1:4] == ["16", "2", "2"]
    assert lines[at][5] == "8"
    assert at < next(number for number, words in enumerate(lines) if words[:1] == ["student:"])


def test_labels_and_rate_are_chosen(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "a", "--drop-labels", "sitting,jogging", "--rate", 25, "--json", *FOREST)
    assert result.exit_code == 0, result.output
    contract = contract_of(tmp_path / "a")
    assert contract.labels == ("downstairs", "upstairs", "standing", "walking")
    assert (contract.rate_hz, contract.window_length) == (25.0, 64)
    assert json.loads(result.stdout)["student"]["labels"] == list(contract.labels)
    assert run(DATA, "-o", tmp_path / "b", "--labels", "walking,sitting", *FOREST).exit_code == 0
    assert contract_of(tmp_path / "b").labels == ("walking", "sitting")
    unknown = run(DATA, "-o", tmp_path / "c", "--drop-labels", "flying", *FOREST)
    assert "flying" in str(unknown.exception)


def test_runs_shorter_than_the_window_are_refused_with_the_window_that_takes_them(watch: Path, tmp_path: Path):
    refused = run(watch, "-o", tmp_path / "run", *FOREST)
    message = str(refused.exception)
    assert (
        "watch: classes sit, walk, run: found runs of at most 1.00, 1.00, 1.00 s, expected a run of a window" in message
    )
    assert "take all classes with --window-s 1, or leave them out with --drop-labels" in message
    done = run(watch, "-o", tmp_path / "run", "--window-s", 1, *FOREST)
    assert done.exit_code == 0, done.output


def test_where_the_model_needs_more_samples_a_rate_is_advised_at_which_it_trains(watch: Path, tmp_path: Path):
    refused = run(watch, "-o", tmp_path / "run", "--model", "deseptr")
    assert "take all classes with --window-s 0.96 --rate 50, or leave" in str(refused.exception)
    advised = run(watch, "-o", tmp_path / "advised", "--window-s", 0.96, "--rate", 50, *FOREST)
    assert advised.exit_code == 0, advised.output
    assert contract_of(tmp_path / "advised").window_length == 48
    too_short = run(watch, "-o", tmp_path / "run", "--model", "deseptr", "--window-s", 1)
    assert "found 20 samples at 20 Hz, expected at least 48 samples for the model deseptr" in str(too_short.exception)
    assert "at least 2.40 s with --window-s" in str(too_short.exception)


def test_classes_that_nobody_gets_right_are_named(tmp_path: Path):
    """Walking of the test subject is a flat line, which is nobody's walking."""
    dataset = load_dataset(DATA)
    walking = dataset.label_names.index("walking")
    flat = [
        dataclasses.replace(r, signals=np.tile(np.float32([0, 0, 9.8, 0, 0, 0]), (len(r), 1)))
        if r.subject == "4" and r.labels[0] == walking
        else r
        for r in dataset.recordings
    ]
    save_dataset(dataclasses.replace(dataset, recordings=tuple(flat)), tmp_path / "flat.npz")
    result = run(tmp_path / "flat.npz", "-o", tmp_path / "run", "--test-subjects", "4", *FOREST)
    assert result.exit_code == 0, result.output
    assert "note: F1 of walking is 0: none of its 8 windows is recognised, 8 are taken for " in result.stderr


def test_the_full_scale_is_asked_for_and_what_it_clips_is_counted(tmp_path: Path):
    result = run(DATA, "-o", tmp_path / "run", "--full-scale", "acc=1g,gyro=2000dps", *FOREST)
    assert result.exit_code == 0, result.output
    contract = contract_of(tmp_path / "run")
    assert (contract.acc_full_scale_g, contract.gyro_full_scale_dps) == (1.0, 2000.0)
    assert "note: 4 of the 4 runs of walking exceed ±1 g on some axis: --full-scale asks" in result.stderr
    wrong = run(DATA, "-o", tmp_path / "other", "--full-scale", "acc=16", *FOREST)
    assert "full_scale: found 'acc=16', expected auto" in str(wrong.exception)
