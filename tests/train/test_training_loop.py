import csv
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from reporters import Stop

from deseptr.contract import ModelContract, ModelError
from deseptr.data import Windows, load_dataset
from deseptr.train import RunFolder, TrainConfig, load_run
from deseptr.train.pipeline import train
from deseptr.train.training_loop import Stage, predict_logits, score_classifier

pytestmark = pytest.mark.usefixtures("eager")

DATA = "synthetic:subjects=4,seconds=12"


def logits(run: Path) -> np.ndarray:
    windows = np.random.default_rng(0).normal(size=(5, 128, 6)).astype(np.float32) * 5
    return predict_logits(load_run(run)[0], windows)


@pytest.mark.parametrize("epochs", [1, 2])
def test_interrupted_run_ends_where_an_unbroken_one_does(
    epochs: int, broken_runs: dict[int, Path], tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    run = Path(shutil.copytree(broken_runs[epochs], tmp_path / "run"))
    assert RunFolder(run).model.exists() == (epochs == 2)
    train(load_dataset(DATA), run, tiny_config, reporter=reporter, resume=True)
    assert len(reporter.rows) == 3 - epochs
    np.testing.assert_allclose(logits(run), logits(tiny_run), atol=1e-5)
    assert column(run, "loss") == pytest.approx(column(tiny_run, "loss"), rel=1e-5)


def test_a_run_that_an_earlier_version_began_goes_on_and_its_minutes_add_up(
    broken_runs: dict[int, Path], tiny_config: TrainConfig, tmp_path: Path, reporter
):
    """Its contract did not know the held-out subjects, nor the full scales that rare events need."""
    run = Path(shutil.copytree(broken_runs[2], tmp_path / "run"))
    folder, seconds = RunFolder(run), run / "state" / "seconds.json"
    assert float(seconds.read_text()) > 0
    seconds.write_text("6000.0")
    contract = ModelContract.load(folder.contract)
    replace(contract, held_out=None, acc_full_scale_g=99.0).save(folder.contract)
    metrics = train(load_dataset(DATA), run, tiny_config, reporter=reporter, resume=True)
    assert ModelContract.load(folder.contract) == contract
    assert 100 < metrics["minutes"] < 110


def test_a_run_is_not_resumed_with_other_people_held_out(
    broken_runs: dict[int, Path], tiny_config: TrainConfig, tmp_path: Path, reporter
):
    run = Path(shutil.copytree(broken_runs[2], tmp_path / "run"))
    with pytest.raises(ModelError, match=r"contract.json: (input_range|held_out)"):
        train(load_dataset(DATA), run, tiny_config, reporter=reporter, resume=True, test_subjects=("1",))


def column(run: Path, name: str) -> list[float]:
    with RunFolder(run).history.open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def test_interruption_leaves_what_convert_needs(broken_runs: dict[int, Path], tmp_path: Path):
    from deseptr.convert import Gate, convert_run

    assert convert_run(broken_runs[2], tmp_path / "m.tflite", gate=Gate(0.0, 1.0, -99.0)).content


def test_broken_state_is_named(broken_runs: dict[int, Path], tiny_config: TrainConfig, tmp_path: Path, reporter):
    run = Path(shutil.copytree(broken_runs[2], tmp_path / "run"))
    (RunFolder(run).state("student") / "state-1.npz").write_bytes(b"")
    with pytest.raises(ModelError, match="found a state that cannot be resumed"):
        train(load_dataset(DATA), run, tiny_config, reporter=reporter, resume=True)


def test_a_loss_that_is_no_number_ends_the_training_and_leaves_the_model_of_before(
    broken_runs: dict[int, Path], tiny_config: TrainConfig, tmp_path: Path, reporter
):
    run = Path(shutil.copytree(broken_runs[2], tmp_path / "run"))
    state = RunFolder(run).state("student") / "state-1.npz"
    with np.load(state) as values:
        diverged = {name: values[name] * np.float32("nan") for name in values if values[name].dtype == np.float32}
        np.savez(state, **{**values, **diverged})
    before = RunFolder(run).model.read_bytes()
    with pytest.raises(ModelError, match=r"^epoch 2 of the student: found a loss of nan, expected a finite loss; look"):
        train(load_dataset(DATA), run, tiny_config, reporter=reporter, resume=True)
    assert RunFolder(run).model.read_bytes() == before


@pytest.mark.parametrize(
    ("scores", "patience", "over"),
    [
        ([], 1, False),
        ([0.5, 0.4, 0.3], 0, False),
        ([0.5], 1, False),
        ([0.5, 0.5], 1, True),
        ([0.5, 0.6, 0.4], 2, False),
        ([0.6, 0.5, 0.6], 2, True),
        ([0.5, 0.4, 0.3, 0.6], 0, True),
    ],
)
def test_stage_is_over_after_its_epochs_or_when_its_patience_is(scores: list[float], patience: int, over: bool):
    stage = Stage("student", 4, 1e-3, 16, 0.0, 0.1, 0.25, seed=0, patience=patience)
    assert stage.over([{"val_macro_f1": value} for value in scores]) == over


@pytest.mark.parametrize("epochs", [1, 3])
def test_stopped_run_is_the_same_however_often_it_was_interrupted(
    epochs: int, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    """A learning rate of next to nothing never raises a score: of 5 epochs, a patience of 2 leaves 3."""
    rate = {"student_learning_rate": 1e-30, "batch_size": 16}
    config = replace(tiny_config, model="cnn-har", student_epochs=5, patience=2, **rate)
    with pytest.raises(KeyboardInterrupt):
        train(load_dataset(DATA), tmp_path / "run", config, reporter=Stop(epochs))
    metrics = train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, resume=True)
    assert metrics["epochs"]["student"] == 3
    assert len(reporter.rows) == 3 - epochs
    assert reporter.stops == [3]
    assert column(tmp_path / "run", "epoch") == [1, 2, 3]


def test_score_counts_right_answers(tiny_run: Path):
    classifier, contract = load_run(tiny_run)
    windows = np.random.default_rng(0).normal(size=(9, 128, 6)).astype(np.float32)
    truth = predict_logits(classifier, windows).argmax(1)
    truth[:3] = (truth[:3] + 1) % 6
    zeros = np.zeros(9, np.int64)
    labelled = Windows(windows, truth, np.array(["1"] * 9), zeros, zeros, contract.labels, 50.0)
    assert score_classifier(classifier, labelled).accuracy == pytest.approx(6 / 9)


def test_without_validation_all_subjects_train_and_the_last_epoch_is_kept(
    tiny_config: TrainConfig, tmp_path: Path, reporter
):
    config = replace(tiny_config, model="cnn-har", validation=0.0, student_epochs=2)
    dataset = load_dataset(DATA)
    with pytest.raises(KeyboardInterrupt):
        train(dataset, tmp_path / "run", config, reporter=Stop(1))
    first = (tmp_path / "run" / "model.keras").read_bytes()
    metrics = train(dataset, tmp_path / "run", config, reporter=reporter, resume=True)
    assert metrics["subjects"]["validation"] == []
    assert len(metrics["subjects"]["train"]) + len(metrics["subjects"]["test"]) == len(dataset.subjects)
    assert (tmp_path / "run" / "model.keras").read_bytes() != first
    assert "val_macro_f1" not in (tmp_path / "run" / "history.csv").read_text()


def test_patience_needs_validation_subjects():
    with pytest.raises(ModelError, match="patience 2: found no validation subjects"):
        TrainConfig(patience=2, validation=0.0)


def test_windows_are_predicted_in_batches_of_the_number_that_a_plain_model_takes():
    window = keras.Input(batch_shape=(3, 8, 2))
    # Its graph was made for three windows.
    flat = keras.layers.Lambda(lambda x: keras.ops.reshape(x, (3, 16)))(window)
    model = keras.Model(window, flat)
    windows = np.random.default_rng(0).normal(size=(6, 8, 2)).astype(np.float32)
    np.testing.assert_array_equal(predict_logits(model, windows), windows.reshape(6, 16))
