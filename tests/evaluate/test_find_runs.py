import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reporters import FoldRecorder

from deseptr.contract import ModelError, atomic_write
from deseptr.data import Dataset, cut_windows, load_dataset, make_protocol
from deseptr.evaluate.crossval import cross_validate
from deseptr.evaluate.find_runs import find_runs
from deseptr.evaluate.finished_run import read_crossval, read_train_run, with_macs
from deseptr.evaluate.fold_job import FoldJob, FoldResult
from deseptr.train import RunFolder, TrainConfig
from deseptr.train.predictions import Predictions

DATASET = load_dataset("synthetic:subjects=4,seconds=8")


def guess(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[FoldResult]:
    """Leave what folds leave, of a model that guesses."""
    for job in jobs:
        windows = cut_windows(dataset, window_length=128, hop_length=64, rate_hz=50.0).of_subjects(
            job.fold.test_subjects
        )
        logits = np.random.default_rng(len(windows)).normal(size=(len(windows), 6)).astype(np.float32)
        predictions = Predictions(logits, logits, windows.labels, windows.subjects, np.array(windows.label_names))
        predictions.save(job.predictions)
        figures: dict[str, Any] = {
            "fold": job.fold.name,
            "subjects": {"train": ["1"], "test": list(job.fold.test_subjects)},
            "windows": {"test": len(windows)},
            "parameters": 7,
            "macs": 70,
            "model": "guess",
            "minutes": 0.5,
            **{kind: predictions.figures(kind) for kind in predictions.kinds},
            "machine": {},
            "versions": {},
            "job": job.settings(),
        }
        atomic_write(job.result, json.dumps(figures))
        yield FoldResult(job, figures)


@pytest.fixture
def crossval(tmp_path: Path) -> Path:
    out = tmp_path / "loso"
    protocol = make_protocol("loso", DATASET)
    cross_validate(
        DATASET,
        protocol,
        TrainConfig(seed=3),
        out,
        reporter=FoldRecorder(lambda job: job.fold.name),
        int8=True,
        executor=guess,
    )
    return out


def test_crossval_has_the_figures_of_its_summary(crossval: Path):
    run, summary = read_crossval(crossval), json.loads((crossval / "crossval.json").read_text())
    assert (run.model, run.seed, run.parameters, run.macs, run.minutes) == ("guess", 3, 7, 70, 2.0)
    assert run.setting.folds == tuple((name, (name,)) for name in "1234")
    assert run.setting.subjects == ("1", "2", "3", "4")
    assert sum(run.setting.windows) == summary["float"]["pooled"]["windows"]
    for kind in ("float", "int8"):
        assert run.figures[kind]["interval"] == summary[kind]["interval"]
        assert run.figures[kind]["over_folds"]["std"] == summary[kind]["std"]["macro_f1"]
    assert run.predictions is not None
    assert run.predictions.interval("float", 3)._asdict() == summary["float"]["interval"]
    assert (run.histories, run.windows_per_s) == ({}, None)


def test_a_run_that_is_older_than_a_setting_has_its_default(crossval: Path):
    now = read_crossval(crossval).settings
    path = crossval / "crossval.json"
    summary = json.loads(path.read_text())
    del summary["config"]["full_scale"]
    path.write_text(json.dumps(summary))
    assert read_crossval(crossval).settings == now
    summary["config"]["of_a_later_version"] = 1
    path.write_text(json.dumps(summary))
    assert read_crossval(crossval).settings["of_a_later_version"] == 1


def test_train_run_has_a_model_and_its_teacher(tiny_run: Path):
    student, teacher = read_train_run(tiny_run)
    metrics = json.loads(RunFolder(tiny_run).metrics.read_text())
    assert (student.teacher, teacher.teacher) == (False, True)
    assert student.setting == teacher.setting
    for run, role in ((student, "student"), (teacher, "teacher")):
        assert run.figures["float"]["macro_f1"] == metrics[role]["macro_f1"]
        assert run.macs == metrics[role]["macs"]
        assert run.checkpoint is None
        assert run.predictions is not None
    assert "dim" in student.settings
    assert not {"dim", "student_epochs", "seed"} & teacher.settings.keys()
    assert [row["stage"] for row in student.histories["test"]] == ["teacher", "student", "student"]


def test_old_run_is_read_and_its_macs_are_counted(tiny_run: Path, tmp_path: Path):
    old = RunFolder(tmp_path / "old")
    shutil.copytree(tiny_run, old.path)
    new = json.loads(old.metrics.read_text())
    metrics = {name: dict(value) if isinstance(value, dict) else value for name, value in new.items()}
    for role in ("student", "teacher"):
        for name in ("macs", "interval", "calibration"):
            del metrics[role][name]
    old.write_metrics(metrics)
    old.predictions.unlink()
    student, teacher = map(with_macs, read_train_run(old.path))
    assert (student.macs, teacher.macs) == (new["student"]["macs"], new["teacher"]["macs"])
    assert (
        student.predictions is student.figures["float"]["interval"] is student.figures["float"]["calibration"] is None
    )
    old.model.unlink()
    assert with_macs(read_train_run(old.path)[0]).macs is None


def test_runs_are_found_below_a_folder_and_read_once(tiny_run: Path, crossval: Path, tmp_path: Path):
    shutil.copytree(tiny_run, tmp_path / "deep" / "er" / "tiny")
    (tmp_path / "hollow").mkdir()
    (tmp_path / "notes.txt").touch()
    found = find_runs([tmp_path, crossval])
    assert [run.path.name for run in found.finished] == ["tiny", "tiny", "loso"]
    assert found.unfinished == []


def test_unfinished_ones_are_named_beside_finished_ones(tiny_run: Path, crossval: Path, tmp_path: Path):
    shutil.copytree(tiny_run, tmp_path / "begun")
    RunFolder(tmp_path / "begun").metrics.unlink()
    (tmp_path / "loso" / "crossval.json").unlink()
    assert find_runs([tiny_run, tmp_path]).unfinished == [tmp_path / "begun", tmp_path / "loso"]
    with pytest.raises(ModelError, match="begun: found no finished run, expected at least one"):
        find_runs([tmp_path / "begun"])


@pytest.mark.parametrize("name", ["none", "hollow", "notes.txt"])
def test_what_is_no_run_is_refused(name: str, tiny_run: Path, tmp_path: Path):
    (tmp_path / "hollow").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ModelError, match=f"{name}: found no (run|such folder), expected a folder of `deseptr train`"):
        find_runs([tiny_run, tmp_path / name])


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("metrics.json", "{", "an unreadable file"),
        ("metrics.json", "[]", "an unreadable file"),
        ("metrics.json", '{"student": {}}', "an unreadable file"),
        ("metrics.json", "{}", "an unreadable file"),
        ("config.json", "{}", "an unreadable file"),
        ("history.csv", "stage,epoch\nstudent,soon\n", "no history"),
        ("predictions.npz", "PK", "no predictions"),
    ],
)
def test_file_that_cannot_be_read_is_named(file: str, content: str, found: str, tiny_run: Path, tmp_path: Path):
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run" / file).write_text(content)
    with pytest.raises(ModelError) as caught:
        find_runs([tmp_path / "run"])
    assert caught.value.thing.startswith(str(tmp_path / "run"))
    assert caught.value.found.startswith(found)


def test_broken_summary_is_named(crossval: Path):
    (crossval / "crossval.json").write_text('{"folds": []}')
    with pytest.raises(ModelError, match=r"crossval\.json: found an unreadable file \(no summary\.config\)"):
        read_crossval(crossval)
