"""The orchestration and the figures, with trainings that take no time; test_real_curve trains real ones."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from reporters import FoldRecorder

from deseptr.cli.evaluate.lab import lab
from deseptr.contract import DataError, ModelError, SetupError, atomic_write
from deseptr.data import Dataset, cut_windows, load_dataset, make_protocol
from deseptr.evaluate.curve.arms import ALONE, ARMS, CNN_HAR, FOREST, SELF_TRAINED, TAUGHT
from deseptr.evaluate.curve.curve import CurveExecutors, run_curve
from deseptr.evaluate.curve.page import curve_table
from deseptr.evaluate.executors import FoldFailure, Outcome
from deseptr.evaluate.fold_job import FoldJob, FoldResult
from deseptr.report.html.curve_figure import curve_figure
from deseptr.train import TrainConfig
from deseptr.train.predictions import Predictions

DATASET = load_dataset("synthetic:subjects=6,seconds=8")
_LOSO = make_protocol("loso", DATASET)
PROTOCOL = replace(_LOSO, folds=_LOSO.folds[:3])
RIGHT = {"cnn-har": 6, "random-forest": 5, "alone": 6, "taught": 7, "self-trained": 8}


def arm_of(job: FoldJob) -> str:
    return job.folder.parents[1].name


def name_of(job: FoldJob) -> str:
    return str(job.folder.relative_to(job.folder.parents[3]))


@pytest.fixture
def recorder() -> FoldRecorder:
    return FoldRecorder(name_of)


def write_fold(dataset: Dataset, job: FoldJob) -> FoldResult:
    """Leave what a training leaves, which is right in so many of ten windows as its arm has it."""
    windows = cut_windows(dataset, window_length=128, hop_length=64, rate_hz=50.0).of_subjects(job.fold.test_subjects)
    right = np.arange(len(windows)) % 10 < RIGHT[arm_of(job)]
    logits = np.eye(6, dtype=np.float32)[np.where(right, windows.labels, (windows.labels + 1) % 6)]
    predictions = Predictions(logits, logits[:0], windows.labels, windows.subjects, np.array(windows.label_names))
    predictions.save(job.predictions)
    people = [subject for subject in dataset.subjects if subject not in job.fold.test_subjects]
    labelled = {"labelled": people[: job.config.labelled_subjects]} if job.config.labelled_subjects else {}
    figures: dict[str, Any] = {
        "fold": job.fold.name,
        "subjects": {"train": people, "validation": [], "test": list(job.fold.test_subjects), **labelled},
        "windows": {"test": len(windows)},
        "model": arm_of(job),
        "parameters": 7,
        "minutes": 0.5,
        "float": predictions.figures("float"),
        "machine": {"platform": "here"},
        "versions": {"deseptr": "0.1.0"},
        "job": job.settings(),
    }
    atomic_write(job.run / "metrics.json", "{}")
    atomic_write(job.result, json.dumps(figures))
    return FoldResult(job, figures)


def quick(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
    for job in jobs:
        yield write_fold(dataset, job)


def run(out: Path, recorder: FoldRecorder, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"counts": (2, 0), "seeds": (0, 1), "config": TrainConfig(dim=8), "protocol": PROTOCOL}
    settings = given | {"executors": CurveExecutors(quick, quick), "reporter": recorder} | changes
    places = [settings.pop(name) for name in ("protocol", "counts", "seeds", "config")]
    return run_curve(DATASET, *places, out, **settings)


def test_every_arm_has_a_point_at_each_number_and_differences_are_of_pairs(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, command="deseptr lab made --curve 2,all")
    assert summary == json.loads((tmp_path / "out" / "curve.json").read_text())
    assert (summary["finished"], summary["wanted"]) == (9 * 2 * 3, 9 * 2 * 3)
    places = [(point["labelled"], point["arm"]) for point in summary["points"]]
    names = [arm.name for arm in ARMS]
    assert places == [(2, name) for name in names] + [("all", name) for name in names[:-1]]
    points = {(point["labelled"], point["arm"]): point for point in summary["points"]}
    assert points[2, "taught"]["accuracy"]["mean"] == pytest.approx(0.7, abs=0.05)
    assert points[2, "taught"]["labelled_subjects"]["1"]["1"] == ["2", "3"]
    assert points[2, "taught"]["wearers"] == 2
    assert points["all", "taught"]["wearers"] == 5
    found = {(each["labelled"], each["first"], each["second"]): each for each in summary["differences"]}
    assert [key[1:] for key in found if key[0] == "all"] == [("taught", "alone"), ("taught", "cnn-har")]
    means = {key: point["macro_f1"]["mean"] for key, point in points.items()}
    gain = found[2, "self-trained", "taught"]["macro_f1"]
    assert gain["mean"] == pytest.approx(means[2, "self-trained"] - means[2, "taught"])
    assert gain["interval"]["low"] <= gain["mean"] <= gain["interval"]["high"]


def test_figures_are_of_all_test_wearers_of_all_folds(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, counts=(2,), seeds=(0,))
    folds = [o for o in recorder.outcomes if isinstance(o, FoldResult) and arm_of(o.job) == "taught"]
    pooled = Predictions.pool([fold.predictions for fold in folds])
    point = next(each for each in summary["points"] if each["arm"] == "taught")
    assert point["macro_f1"]["mean"] == pytest.approx(pooled.figures("float")["macro_f1"])
    over_folds = np.mean([fold.figures["float"]["macro_f1"] for fold in folds])
    assert point["over_folds"]["mean"] == pytest.approx(over_folds)
    interval = pooled.interval("float", 0)
    assert interval is not None
    assert point["macro_f1"]["interval"]["low"] == pytest.approx(interval.low, abs=0.03)


def test_page_has_picture_table_and_command(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, command="deseptr lab made --curve 2,all")
    text = (tmp_path / "out" / "curve.md").read_text()
    assert "54 of 54 trainings: deseptr on synthetic, protocol loso, 3 folds." in text
    assert "(curve.svg)" in text
    assert "| labelled wearers | 2 | all |" in text
    assert "| student taught on unlabelled wearers, too | 0." in text
    assert "| student taught on unlabelled wearers, too − student taught | 2 | +0." in text
    assert "| CNN-HAR | all (5) | 2 | 0." in text
    assert "    deseptr lab made --curve 2,all" in text
    assert re.search(r"\n## How it was made\n\nSettings of the student: model deseptr, .*dim 8, .*\.\n\n", text)
    picture = curve_figure(summary)
    assert picture.startswith("<svg")
    assert "all (5)" in picture
    assert all(arm.title in picture for arm in ARMS)


def test_a_cell_has_its_interval_if_there_is_one():
    """One wearer in the test gives none."""
    known = {"mean": 0.81249, "std": 0.01, "interval": {"low": 0.7, "high": 0.9126}}
    lone = {"mean": 0.5, "std": 0.0, "interval": None}
    summary = {
        "arms": {"alone": "student alone", "taught": "student taught", "forest": "random forest"},
        "points": [
            {"arm": "alone", "labelled": 2, "macro_f1": lone},
            {"arm": "taught", "labelled": 2, "macro_f1": known},
            {"arm": "taught", "labelled": "all", "macro_f1": known},
        ],
    }
    assert curve_table(summary) == (
        ["labelled wearers", "2", "all"],
        [["student alone", "0.500", "–"], ["student taught", *["0.812 (0.700 to 0.913)"] * 2]],
    )


def test_the_command_writes_the_picture_beside_its_page(
    tmp_path: Path, recorder: FoldRecorder, monkeypatch: pytest.MonkeyPatch
):
    summary = run(tmp_path / "out", recorder, counts=(2,), seeds=(0,))
    monkeypatch.setattr("deseptr.evaluate.curve.curve.run_curve", lambda *_, **__: summary)
    words = ["synthetic:subjects=6,seconds=8", "-o", str(tmp_path / "out"), "--curve", "2", "--protocol", "loso"]
    result = CliRunner().invoke(lab, words)
    assert result.exit_code == 0, result.output
    picture = (tmp_path / "out" / "curve.svg").read_text()
    assert picture.startswith("<svg")
    assert "student taught" in picture
    assert (tmp_path / "out" / "curve.md").exists()


def test_arms_differ_from_the_student_in_what_they_are_called_for():
    config = TrainConfig(dim=8, validation=0)
    of = {arm: arm.config(config, 3, 1) for arm in ARMS}
    assert {(each.labelled_subjects, each.seed) for each in of.values()} == {(3, 1)}
    assert of[SELF_TRAINED].learns_without_labels
    assert not any(of[arm].learns_without_labels for arm in (CNN_HAR, FOREST, ALONE, TAUGHT))
    assert replace(of[TAUGHT], unlabelled_share=config.unlabelled_share) == of[SELF_TRAINED]
    assert (of[CNN_HAR].mixup, of[CNN_HAR].views) == (config.mixup, True)
    on_spectrograms = TrainConfig(model="deseptr-spectrogram")
    assert ALONE.config(on_spectrograms, 3, 1).stem == "own"
    assert CNN_HAR.config(replace(on_spectrograms, stem="own"), 3, 1).model == "cnn-har"


@pytest.mark.parametrize("together", [False, True])
def test_self_trained_students_come_last_and_take_the_taught_ones_teacher(
    tmp_path: Path, recorder: FoldRecorder, together: bool
):
    calls: list[list[str]] = []

    def networks(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        calls.append([name_of(job) for job in jobs])
        assert len({json.dumps(job.settings()["config"]) for job in jobs}) == 1 or not together
        return quick(dataset, jobs)

    run(tmp_path / "out", recorder, executors=CurveExecutors(networks, quick, together))
    lent = {o.job.teacher for o in recorder.outcomes if arm_of(o.job) == "self-trained"}
    if together:
        assert [len(call) for call in calls] == [3] * 14
        assert lent == {None}
        return
    assert [len(call) for call in calls] == [6 * 2 * 3, 2 * 3]
    assert {name.split("/")[1] for name in calls[1]} == {"self-trained"}
    taught = tmp_path / "out" / "labels-2" / "taught"
    folds = [taught / f"seed-{seed}" / f"fold-{fold}" / "run" for seed in (0, 1) for fold in (1, 2, 3)]
    assert lent == set(folds)


def test_second_call_runs_nothing_and_others_add_trainings(tmp_path: Path, recorder: FoldRecorder):
    first = run(tmp_path / "out", recorder)
    assert run(tmp_path / "out", recorder) == first
    assert recorder.begun[1] == ([], 54)
    more = run(tmp_path / "out", recorder, counts=(2, 3), seeds=(1,))
    assert [name for name in recorder.begun[2][0] if "labels-3" not in name] == []
    assert len(recorder.begun[2][0]) == 15
    assert {point["labelled"] for point in more["points"]} == {2, 3}


def test_a_failure_leaves_the_rest_and_its_own_point_out(tmp_path: Path, recorder: FoldRecorder):
    def partly(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        for job in jobs:
            if name_of(job) == "labels-2/taught/seed-0/fold-3":
                yield FoldFailure(job, ModelError("fold", found="a", expected="b", next_step="c"))
            else:
                yield write_fold(dataset, job)

    with pytest.raises(ModelError, match="fold: found a"):
        run(tmp_path / "out", recorder, executors=CurveExecutors(partly, partly))
    summary = json.loads((tmp_path / "out" / "curve.json").read_text())
    assert summary["finished"] == 52
    seeds = {point["arm"]: point["seeds"] for point in summary["points"] if point["labelled"] == 2}
    assert seeds == {"cnn-har": [0, 1], "random-forest": [0, 1], "alone": [0, 1], "taught": [1], "self-trained": [1]}
    whole = run(tmp_path / "out", recorder)
    assert recorder.begun[1][0] == ["labels-2/taught/seed-0/fold-3", "labels-2/self-trained/seed-0/fold-3"]
    assert whole["finished"] == 54


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"counts": (5,)}, DataError, "numbers of labelled wearers: found 5, expected less than 5"),
        ({"counts": (2, 2)}, DataError, "numbers of labelled wearers: found 2, 2"),
        ({"config": TrainConfig(model="cnn-har")}, SetupError, "found the model cnn-har"),
        ({"config": TrainConfig(unlabelled_share=0.0)}, SetupError, "0 of a step without labels"),
    ],
)
def test_what_makes_no_curve_is_refused_before_anything_is_written(
    tmp_path: Path, recorder: FoldRecorder, changes: dict[str, Any], error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        run(tmp_path / "out", recorder, **changes)
    assert not (tmp_path / "out").exists()


def test_other_settings_are_refused(tmp_path: Path, recorder: FoldRecorder):
    run(tmp_path / "out", recorder, seeds=(0,), counts=(2,))
    with pytest.raises(SetupError, match=r"job\.json: dim: found 16, expected 8"):
        run(tmp_path / "out", recorder, seeds=(0,), counts=(2,), config=TrainConfig(dim=16))


@pytest.mark.slow
def test_real_curve(tmp_path: Path, recorder: FoldRecorder):
    tiny = TrainConfig(members=("cnn-har",), teacher_epochs=1, student_epochs=1, dim=8, batch_size=32, shift_samples=4)
    one = replace(PROTOCOL, folds=PROTOCOL.folds[:1])
    summary = run(tmp_path / "out", recorder, counts=(2,), seeds=(0,), config=tiny, protocol=one, executors=None)
    assert {point["arm"] for point in summary["points"]} == {arm.name for arm in ARMS}
    folder = tmp_path / "out" / "labels-2" / "self-trained" / "seed-0" / "fold-1" / "run"
    content = json.loads((folder / "labelled.json").read_text())
    assert content["unlabelled_windows"] > 0
    assert not (folder / "teacher.keras").exists()
    assert len({tuple(next(iter(point["labelled_subjects"]["0"].values()))) for point in summary["points"]}) == 1
