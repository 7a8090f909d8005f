"""The orchestration, with cells that take no time; tests/cli/evaluate/test_lab.py trains real ones."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reporters import FoldRecorder

from deseptr.contract import DataError, ModelError, SetupError, atomic_write
from deseptr.data import Dataset, cut_windows, load_dataset, make_protocol
from deseptr.evaluate.executors import FoldFailure, Outcome
from deseptr.evaluate.fold_job import FoldJob, FoldResult
from deseptr.evaluate.heads import HeadLogits
from deseptr.evaluate.lab.grid import Grid
from deseptr.evaluate.lab.lab import run_lab
from deseptr.train import TrainConfig
from deseptr.train.predictions import Predictions

DATASET = load_dataset("synthetic:subjects=6,seconds=8")
ALL = make_protocol("arena", DATASET)
PROTOCOL = replace(make_protocol("loso", DATASET), folds=(replace(ALL.folds[0], test_subjects=("2", "4", "5")),))
SMALL = Grid(distillations=("none", "soft"), stems=("own", "shared-frozen"), seeds=(0, 1))
SHARES = {"none": 0.6, "soft": 0.8, "hard": 0.7}


@pytest.fixture
def recorder() -> FoldRecorder:
    return FoldRecorder(lambda job: f"{job.folder.parent.name}/{job.folder.name}")


def logits_of(labels: np.ndarray, share: float) -> np.ndarray:
    """Logits that are right in this share of every ten windows."""
    right = np.arange(len(labels)) % 10 < round(10 * share)
    return np.eye(6, dtype=np.float32)[np.where(right, labels, (labels + 1) % 6)]


def write_cell(dataset: Dataset, job: FoldJob) -> FoldResult:
    """Leave what a cell or a teacher leaves; the class head of a cell is always wrong."""
    windows = cut_windows(dataset, window_length=128, hop_length=64, rate_hz=50.0).of_subjects(job.fold.test_subjects)
    share = SHARES[job.config.distillation] if job.heads else 0.9
    logits = logits_of(windows.labels, share)
    int8 = logits if job.int8 else logits[:0]
    predictions = Predictions(logits, int8, windows.labels, windows.subjects, np.array(windows.label_names))
    predictions.save(job.predictions)
    if job.heads:
        HeadLogits(logits_of(windows.labels, 0.0), 2 * logits).save(job.head_logits)
    figures: dict[str, Any] = {
        "subjects": {"train": ["1"], "validation": ["3"], "test": list(job.fold.test_subjects)},
        "windows": {"training": 50, "validation": 10, "test": len(windows)},
        "model": "made_up",
        "minutes": 0.5,
        **{kind: predictions.figures(kind) for kind in predictions.kinds},
        "machine": {"platform": "here"},
        "versions": {"deseptr": "0.1.0"},
        "job": job.settings(),
    }
    atomic_write(job.result, json.dumps(figures))
    return FoldResult(job, figures)


def quick(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
    for job in jobs:
        yield write_cell(dataset, job)


def run(out: Path, recorder: FoldRecorder, grid: Grid = SMALL, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "executor": quick,
        "reporter": recorder,
        "config": TrainConfig("deseptr-spectrogram", dim=8),
        **changes,
    }
    protocol = settings.pop("protocol", PROTOCOL)
    return run_lab(DATASET, protocol, grid, settings.pop("config"), out, **settings)


def test_summary_has_a_row_for_the_teacher_and_for_each_cell_at_each_head(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, command="deseptr lab made -o out")
    assert summary == json.loads((tmp_path / "out" / "lab.json").read_text())
    assert recorder.begun[0][0][:3] == ["seed-0/teacher", "seed-1/teacher", "seed-0/none-shared-frozen"]
    assert (summary["finished"], summary["wanted"]) == (8, 8)
    teacher, *rows = summary["rows"]
    assert teacher["distillation"] is None
    assert teacher["accuracy"]["mean"] == pytest.approx(0.9, abs=0.02)
    assert [row["head"] for row in rows] == ["class", "distillation", "mean"] * 4
    by_place = {(row["distillation"], row["stem"], row["head"]): row for row in rows}
    soft = by_place["soft", "own", "mean"]
    assert soft["accuracy"]["mean"] == pytest.approx(0.8, abs=0.02)
    assert soft["macro_f1"]["interval"]["low"] <= soft["macro_f1"]["mean"] <= soft["macro_f1"]["interval"]["high"]
    assert by_place["soft", "own", "class"]["accuracy"]["mean"] == 0
    effects = {(effect["contrast"], effect["at"]): effect["difference"] for effect in summary["effects"]}
    none = by_place["none", "own", "mean"]
    assert effects["soft − none", "own"]["mean"] == pytest.approx(soft["macro_f1"]["mean"] - none["macro_f1"]["mean"])
    assert effects["shared-frozen − own", "soft"]["mean"] == 0
    assert "seed" not in summary["config"]
    assert summary["config"]["dim"] == 8
    keys = {"command", "dataset", "data", "protocol", "grid", "windows", "head", "versions", "minutes"}
    assert keys <= summary.keys()


def test_page_explains_its_making_and_its_figures(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, command="deseptr lab made -o out")
    text = (tmp_path / "out" / "lab.md").read_text()
    windows = summary["windows"]["0"]["test"]
    assert (
        f"8 of 8 trainings: made_up on synthetic, protocol loso, fold 0: {windows} windows of subjects 2, 4, 5." in text
    )
    assert "| teacher | – | 0." in text
    assert "| soft own | distillation | 0." in text
    assert "| soft − none | own | +0." in text
    assert "| seeds |" not in text
    assert f"| 1 | 50 | 10 | {windows} | 3 |" in text
    assert "its mean head on the validation subjects" in text
    assert "An interval without zero means" in text
    assert "    deseptr lab made -o out" in text
    assert "dim 8" in text


def test_second_call_runs_nothing_and_others_add_cells(tmp_path: Path, recorder: FoldRecorder):
    first = run(tmp_path / "out", recorder)
    assert run(tmp_path / "out", recorder) == first
    assert recorder.begun[1] == ([], 10)
    more = run(tmp_path / "out", recorder, replace(SMALL, temperatures=(1.0, 2.0), seeds=(0,)))
    assert recorder.begun[2] == (["seed-0/soft-t2-shared-frozen", "seed-0/soft-t2-own"], 5)
    assert {row["temperature"] for row in more["rows"]} == {None, 1.0, 2.0}


def test_cells_of_a_seed_share_its_teacher_and_those_without_distillation_have_none(
    tmp_path: Path, recorder: FoldRecorder
):
    run(tmp_path / "out", recorder)
    lent = {o.job.folder.name: o.job.teacher for o in recorder.outcomes if o.job.config.seed == 1}
    teacher = tmp_path / "out" / "seed-1" / "teacher" / "run"
    assert lent == {
        "teacher": None,
        "none-own": None,
        "none-shared-frozen": teacher,
        "soft-own": teacher,
        "soft-shared-frozen": teacher,
    }


def test_grid_that_takes_nothing_of_a_teacher_has_no_teacher(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, Grid(("none",), ("own",), seeds=(0,)))
    assert recorder.begun == [(["seed-0/none-own"], 0)]
    assert [row["head"] for row in summary["rows"]] == ["class", "distillation", "mean"]
    assert [effect["contrast"] for effect in summary["effects"]] == ["distillation − class", "mean − class"]


def test_failing_teacher_stops_only_its_own_cells(tmp_path: Path, recorder: FoldRecorder):
    def partly(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        for job in jobs:
            if (job.folder.name, job.config.seed) == ("teacher", 0):
                yield FoldFailure(job, ModelError("teacher", found="a", expected="b", next_step="c"))
            else:
                yield write_cell(dataset, job)

    with pytest.raises(ModelError, match="teacher: found a"):
        run(tmp_path / "out", recorder, executor=partly)
    summary = json.loads((tmp_path / "out" / "lab.json").read_text())
    assert (summary["finished"], summary["wanted"]) == (5, 8)
    seeds = {(row["distillation"], row["stem"]): row["seeds"] for row in summary["rows"]}
    assert seeds == {
        (None, None): [1],
        ("none", "own"): [0, 1],
        ("none", "shared-frozen"): [1],
        ("soft", "own"): [1],
        ("soft", "shared-frozen"): [1],
    }
    text = (tmp_path / "out" / "lab.md").read_text()
    assert "| accuracy | seeds |" in text
    assert "5 of 8 trainings" in text
    run(tmp_path / "out", recorder)
    assert recorder.begun[1] == (["seed-0/teacher", *(f"seed-0/{n}" for n in (
        "none-shared-frozen", "soft-shared-frozen", "soft-own"))], 6)  # fmt: skip


def test_other_settings_are_refused_before_anything_is_run(tmp_path: Path, recorder: FoldRecorder):
    run(tmp_path / "out", recorder)
    with pytest.raises(SetupError, match=r"teacher/job\.json: dim: found 16, expected 8"):
        run(tmp_path / "out", recorder, config=TrainConfig("deseptr-spectrogram", dim=16))
    assert len(recorder.begun) == 1
    run(tmp_path / "out", recorder, config=TrainConfig("deseptr-spectrogram", dim=16), overwrite=True)
    assert recorder.begun[1][1] == 0


def test_folder_with_other_files_is_not_changed(tmp_path: Path, recorder: FoldRecorder):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetupError, match="found other files"):
        run(tmp_path, recorder, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_several_folds_are_refused(tmp_path: Path, recorder: FoldRecorder):
    with pytest.raises(DataError, match="protocol arena: found 6 folds, expected one"):
        run(tmp_path / "out", recorder, protocol=ALL)


def test_int8_adds_a_row_at_the_head_that_was_converted(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, Grid(("soft",), ("own",), seeds=(0,)), int8=True)
    assert [(row["head"], row["kind"]) for row in summary["rows"][1:]] == [
        ("class", "float"),
        ("distillation", "float"),
        ("mean", "float"),
        ("mean", "int8"),
    ]
    assert "| soft own | mean int8 | 0." in (tmp_path / "out" / "lab.md").read_text()


def test_one_test_subject_has_no_interval(tmp_path: Path, recorder: FoldRecorder):
    alone = replace(PROTOCOL, folds=(replace(PROTOCOL.folds[0], test_subjects=("2",)),))
    summary = run(tmp_path / "out", recorder, protocol=alone)
    assert all(row["macro_f1"]["interval"] is None for row in summary["rows"])
    assert "of one test subject there are none" in (tmp_path / "out" / "lab.md").read_text()
