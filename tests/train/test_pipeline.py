import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import DataError, ModelContract, ModelError, SetupError
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.train import CalibrationWindows, RunFolder, TrainConfig, load_run, pipeline
from deseptr.train.checkpoint import load_checkpoint
from deseptr.train.pipeline import train
from deseptr.train.predictions import Predictions
from deseptr.train.preparation import prepare
from deseptr.train.recordings_check import nominal_rate
from deseptr.train.stages import build_student

pytestmark = pytest.mark.usefixtures("eager")

DATA = "synthetic:subjects=4,seconds=12"


def test_run_folder_holds_everything(tiny_run: Path, tiny_config: TrainConfig):
    names = {"model.keras", "teacher.keras", "contract.json", "calibration.npz", "metrics.json", "history.csv"}
    names |= {"config.json", "predictions.npz", "teacher_predictions.npz"}
    assert {path.name for path in tiny_run.iterdir()} == names
    assert TrainConfig.load(RunFolder(tiny_run).config) == tiny_config
    contract = ModelContract.load(RunFolder(tiny_run).contract)
    assert (contract.window_length, contract.hop_length, contract.model) == (128, 64, "deseptr_spectrogram_d8_h2")


def test_metrics_name_subjects_that_do_not_overlap(tiny_run: Path):
    metrics = json.loads(RunFolder(tiny_run).metrics.read_text())
    parts = [set(metrics["subjects"][part]) for part in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 4
    assert metrics["student"]["windows"] == metrics["windows"]["test"] > 0
    assert metrics["teacher"]["parameters"] > metrics["student"]["parameters"] > 1000


def test_predictions_are_kept_and_the_figures_are_theirs(tiny_run: Path, tiny_config: TrainConfig):
    folder = RunFolder(tiny_run)
    metrics = json.loads(folder.metrics.read_text())
    for path, figures in ((folder.predictions, metrics["student"]), (folder.teacher_predictions, metrics["teacher"])):
        predictions = Predictions.load(path)
        assert predictions.kinds == ("float",)
        assert predictions.scores("float").confusion.tolist() == figures["confusion"]
        assert predictions.figures("float")["calibration"] == figures["calibration"]
        assert predictions.interval("float", tiny_config.seed) is figures["interval"] is None
        assert figures["macs"] > 1000


def test_predictions_keep_the_places_of_their_windows(tiny_run: Path, tiny_config: TrainConfig):
    recordings = load_dataset(DATA).recordings
    windows = prepare(load_dataset(DATA), tiny_config).test
    for path in (RunFolder(tiny_run).predictions, RunFolder(tiny_run).teacher_predictions):
        kept = Predictions.load(path)
        places = list(zip(kept.subjects, kept.trials, kept.starts_s, strict=True))
        assert len(set(places)) == len(windows) > 0
        for (subject, trial, start_s), signals in zip(places, windows.own_signals, strict=True):
            own = next(
                each
                for each in recordings
                if (each.subject, each.name) == (subject, trial) and 0 <= start_s - each.start_s < each.duration_s
            )
            first = round((start_s - own.start_s) * own.rate_hz)
            assert np.array_equal(own.signals[first : first + len(signals)], signals)


def test_calibration_is_balanced_and_only_of_training_subjects(tiny_run: Path, tiny_config: TrainConfig):
    calibration = CalibrationWindows.load(RunFolder(tiny_run).calibration)
    data = prepare(load_dataset(DATA), tiny_config)
    training = {window.tobytes() for window in data.training.signals}
    assert {window.tobytes() for window in calibration.windows} <= training
    assert not {window.tobytes() for window in calibration.held_out_windows} & training
    assert set(calibration.held_out_subjects) == set(data.split.test)
    assert len(calibration.windows) % 6 == 0


def test_student_starts_on_the_teachers_stem(tiny_run: Path, tiny_config: TrainConfig):
    contract = ModelContract.load(RunFolder(tiny_run).contract)
    teacher = load_checkpoint(RunFolder(tiny_run).teacher, contract)
    training = prepare(load_dataset(DATA), tiny_config).training
    student = build_student(teacher.front_end, teacher, training, tiny_config)
    pairs = zip(student.network.stem.weights, teacher.network.stem.weights, strict=True)
    assert all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def test_given_teacher_is_read_once_and_taken_with_its_front_end(
    tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter, monkeypatch: pytest.MonkeyPatch
):
    read = []
    monkeypatch.setattr(pipeline, "load_checkpoint", lambda *given: read.append(given) or load_checkpoint(*given))
    config = dataclasses.replace(tiny_config, student_epochs=1)
    train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)
    assert [stage[0] for stage in reporter.stages] == ["student"]
    assert not RunFolder(tmp_path / "run").teacher.exists()
    teacher = load_checkpoint(RunFolder(tiny_run).teacher, ModelContract.load(RunFolder(tiny_run).contract))
    assert load_run(tmp_path / "run")[0].front_end.gain == teacher.front_end.gain
    assert [path for path, _ in read] == [RunFolder(tiny_run).teacher]


def test_teacher_of_another_window_is_refused(tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter):
    config = dataclasses.replace(tiny_config, window_s=2.0)
    with pytest.raises(ModelError, match="window_length of the teacher: found 128, expected 100"):
        train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)


def test_finished_run_is_neither_overwritten_nor_trained_again(tiny_run: Path, tiny_config: TrainConfig, reporter):
    before = RunFolder(tiny_run).model.read_bytes()
    with pytest.raises(SetupError, match="found a run, expected a new folder; add --resume"):
        train(load_dataset(DATA), tiny_run, tiny_config, reporter=reporter)
    metrics = train(load_dataset(DATA), tiny_run, tiny_config, reporter=reporter, resume=True)
    assert metrics["student"]["windows"] > 0
    assert not reporter.rows
    assert RunFolder(tiny_run).model.read_bytes() == before


@pytest.mark.parametrize(("name", "found", "expected"), [("dim", 16, "8"), ("precision", "bfloat16", "float32")])
def test_resuming_with_other_settings_is_refused(
    name: str, found: object, expected: str, tiny_run: Path, tiny_config: TrainConfig, reporter
):
    other = dataclasses.replace(tiny_config, **{name: found})
    with pytest.raises(ModelError, match=f"{name}: found {found}, expected {expected}, as when the run began"):
        train(load_dataset(DATA), tiny_run, other, reporter=reporter, resume=True)


def test_folder_with_other_files_is_not_changed(tmp_path: Path, tiny_config: TrainConfig, reporter):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetupError, match="found other files"):
        train(load_dataset(DATA), tmp_path, tiny_config, reporter=reporter, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_class_without_a_training_window_is_named(tiny_config: TrainConfig):
    dataset = load_dataset(DATA)
    kept = [
        r for r in dataset.recordings
        if r.subject in dataset.test_subjects or dataset.label_names[r.labels[0]] != "jogging"
    ]  # fmt: skip
    with pytest.raises(DataError, match="class jogging: found no sample of it"):
        prepare(dataclasses.replace(dataset, recordings=tuple(kept)), tiny_config)


def test_two_subjects_are_too_few(tiny_config: TrainConfig):
    with pytest.raises(DataError, match="split by subject"):
        prepare(load_dataset(DATA).select(subjects=["1", "2"]), tiny_config)


@pytest.mark.parametrize(("rates", "nominal"), [((49.7, 50.2, 50.1), 50.0), ((31.25,), 31.25), ((100.0,), 100.0)])
def test_nominal_rate(rates: tuple[float, ...], nominal: float):
    signals, labels = np.zeros((10, 6), np.float32), np.zeros(10, np.int16)
    recordings = tuple(Recording(signals, rate, "1", labels) for rate in rates)
    assert nominal_rate(Dataset(recordings, ("a",))) == nominal
