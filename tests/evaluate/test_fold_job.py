import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import DataError, SetupError
from deseptr.data import Fold, load_dataset
from deseptr.evaluate.fold_job import FoldJob, check_claim, finished, run_fold, train_folds_together
from deseptr.train import RunFolder, TrainConfig
from deseptr.train.log_file import LogFile

pytestmark = pytest.mark.usefixtures("eager")

DATASET = load_dataset("synthetic:subjects=4,seconds=12")


def job_in(folder: Path, config: TrainConfig) -> FoldJob:
    return FoldJob(Fold("test", DATASET.test_subjects), config, folder, "synthetic 0", True)


def begun(job: FoldJob, run: Path) -> FoldJob:
    """The job with the run that it would have trained."""
    job.folder.mkdir()
    job.claimed_by.write_text(json.dumps(job.settings()))
    shutil.copytree(run, job.run)
    return job


@pytest.fixture
def job(tiny_config: TrainConfig, tmp_path: Path) -> FoldJob:
    return job_in(tmp_path / "fold-test", tiny_config)


@pytest.fixture
def trained(job: FoldJob, tiny_run: Path) -> FoldJob:
    """A fold that was interrupted between its training and its predictions."""
    return begun(job, tiny_run)


@pytest.fixture(scope="module")
def done(tiny_config: TrainConfig, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> FoldJob:
    """A finished fold."""
    job = begun(job_in(tmp_path_factory.mktemp("folds") / "fold-test", tiny_config), tiny_run)
    assert finished(job) is None
    assert run_fold(DATASET, job).figures == json.loads(job.result.read_text())
    return job


def test_fold_leaves_predictions_scores_and_an_int8_model(done: FoldJob):
    trained, result = done, finished(done)
    assert result is not None
    assert result.figures == json.loads(trained.result.read_text())
    assert (trained.folder / "model.tflite").exists()
    predictions = result.predictions
    assert predictions.logits.dtype == predictions.int8_logits.dtype == np.float32
    assert predictions.logits.shape == predictions.int8_logits.shape == (len(predictions.labels), 6)
    assert set(predictions.subjects) == set(DATASET.test_subjects)
    assert result.figures["int8"]["agreement"] > 0.9
    assert result.figures["float"]["confusion"] == predictions.scores("float").confusion.tolist()
    assert result.figures["windows"]["test"] == len(predictions.labels)


def test_finished_fold_is_read_and_not_run_again(done: FoldJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = finished(done)
    assert first is not None
    trained = replace(done, folder=Path(shutil.copytree(done.folder, tmp_path / "fold-test")))
    monkeypatch.setattr("deseptr.train.pipeline.train", lambda *_, **__: pytest.fail("trained again"))
    assert run_fold(DATASET, trained).figures == first.figures
    assert finished(replace(trained, int8=False)) is None
    trained.predictions.unlink()
    assert finished(trained) is None


def test_interrupted_fold_ends_where_an_unbroken_one_does(
    job: FoldJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    job = replace(job, int8=False, config=replace(job.config, model="cnn-har"))
    whole = run_fold(DATASET, replace(job, folder=tmp_path / "whole")).figures
    epoch = LogFile.epoch

    def interrupt(self: LogFile, row: dict) -> None:
        epoch(self, row)
        if (row["stage"], row["epoch"]) == ("student", 1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LogFile, "epoch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_fold(DATASET, job)
    assert finished(job) is None
    figures = run_fold(DATASET, job).figures
    assert figures["float"]["macro_f1"] == pytest.approx(whole["float"]["macro_f1"])
    lines = [line.partition(" ")[2] for line in job.log.read_text().splitlines()]
    assert "student: 2 epochs of 96 windows, 1 done before" in lines
    assert sum(line.startswith("student 1/2") for line in lines) == 1
    assert "int8" not in figures


def test_leak_is_refused_before_training(job: FoldJob, monkeypatch: pytest.MonkeyPatch):
    import deseptr.train.preparation as preparation

    prepare = preparation.prepare

    def leak(*arguments: object) -> object:
        data = prepare(*arguments)
        subjects = data.training.subjects.copy()
        subjects[:5] = data.test.subjects[0]
        return replace(data, training=replace(data.training, subjects=subjects))

    monkeypatch.setattr(preparation, "prepare", leak)
    with pytest.raises(DataError, match=r"training and test windows: found windows of subject 4 in both"):
        run_fold(DATASET, job)
    assert not job.run.exists()


def test_recording_twice_under_two_names_is_refused(job: FoldJob):
    copies = tuple(replace(r, subject="copy") for r in DATASET.recordings if r.subject in DATASET.test_subjects)
    with pytest.raises(DataError, match="the same window of subject"):
        run_fold(replace(DATASET, recordings=DATASET.recordings + copies), job)


def test_a_test_recording_among_the_unlabelled_ones_is_refused(job: FoldJob):
    copies = tuple(replace(r, subject="copy") for r in DATASET.recordings if r.subject in DATASET.test_subjects)
    with pytest.raises(DataError, match="unlabelled and test windows: found the same window of subject copy"):
        run_fold(DATASET.with_unlabelled(replace(DATASET, recordings=copies)), job)
    assert not job.run.exists()


def test_folder_of_other_settings_or_data_is_refused(trained: FoldJob):
    check_claim(trained)
    other = replace(trained, config=replace(trained.config, dim=16))
    with pytest.raises(SetupError, match=r"job\.json: dim: found 16, expected 8, as when the fold began"):
        check_claim(other)
    with pytest.raises(SetupError, match=r"job\.json: data: found synthetic 1, expected synthetic 0"):
        run_fold(DATASET, replace(trained, data="synthetic 1"))
    trained.claimed_by.unlink()
    with pytest.raises(SetupError, match="found other files"):
        check_claim(trained)


def test_a_file_in_the_folders_place_is_refused_and_a_log_alone_is_none(job: FoldJob):
    job.folder.write_text("mine")
    with pytest.raises(SetupError, match=r"fold-test: found other files, expected a new folder"):
        check_claim(job)
    job.folder.unlink()
    job.folder.mkdir()
    job.log.touch()
    check_claim(job)


def test_of_folds_together_those_that_are_trained_already_are_left_out(
    job: FoldJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    jobs = [replace(job, folder=tmp_path / f"fold-{name}") for name in ("0", "1", "2")]
    RunFolder(jobs[1].run).state("student").mkdir(parents=True)
    jobs[1].claimed_by.write_text(json.dumps(jobs[1].settings()))
    trained: list[Path] = []
    monkeypatch.setattr("deseptr.train.together.check_together", lambda _: None)
    monkeypatch.setattr(
        "deseptr.train.together.train_together", lambda runs, _: trained.extend(run.folder.path for run in runs)
    )
    train_folds_together(DATASET, jobs, print)
    assert trained == [jobs[0].run, jobs[2].run]
    assert [json.loads(each.claimed_by.read_text()) for each in jobs] == [job.settings()] * 3


# Version 0.1 called the model on spectrograms ``deseptr``; its jobs have no settings that came later.
LATER = ("views", "members", "teacher_share", "clip_norm", "mixup", "shift_samples", "time_warp", "sensor_rate")
LATER += ("labelled_subjects", "unlabelled_share")


def settings_of_0_1(job: FoldJob) -> dict[str, Any]:
    settings = job.settings()
    config = {name: value for name, value in settings["config"].items() if name not in LATER}
    return settings | {"config": config | {"model": "deseptr"}}


def test_a_fold_begun_by_version_0_1_is_the_same_job(trained: FoldJob):
    trained.claimed_by.write_text(json.dumps(settings_of_0_1(trained)))
    check_claim(trained)
    other = replace(trained, config=replace(trained.config, dim=16))
    with pytest.raises(SetupError, match=r"job\.json: dim: found 16, expected 8, as when the fold began"):
        check_claim(other)


def test_a_finished_fold_of_version_0_1_is_kept(done: FoldJob, tmp_path: Path):
    job = replace(done, folder=Path(shutil.copytree(done.folder, tmp_path / "fold-test")))
    figures = json.loads(job.result.read_text())
    job.result.write_text(json.dumps(figures | {"job": settings_of_0_1(job)}))
    assert finished(job) is not None
    assert finished(replace(job, config=replace(job.config, dim=16))) is None


def test_a_fold_begun_by_version_0_1_is_refused_to_the_default_model_of_today(trained: FoldJob):
    trained.claimed_by.write_text(json.dumps(settings_of_0_1(trained)))
    today = replace(trained, config=TrainConfig(dim=8, heads=2))
    with pytest.raises(SetupError, match=r"job\.json: model: found deseptr, expected deseptr-spectrogram, as when"):
        check_claim(today)


@pytest.mark.parametrize("config", [5, {}, {"model": []}, {"model": "deseptr", "none such": 1}, {"dim": "8"}])
def test_a_job_with_settings_of_no_version_is_refused(trained: FoldJob, config: object):
    trained.claimed_by.write_text(json.dumps(trained.settings() | {"config": config}))
    with pytest.raises(SetupError, match=r"job\.json: \w+: found"):
        check_claim(trained)
