"""The orchestration, with folds that take no time; test_executors.py and test_fold_job.py run real ones."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reporters import FoldRecorder

from deseptr.contract import (
    ConversionError,
    DataError,
    SetupError,
    atomic_write,
    macro_f1_interval,
    score,
    subject_confusions as confusions,
)
from deseptr.data import Dataset, Recording, cut_windows, load_dataset, make_protocol
from deseptr.evaluate.crossval import cross_validate, dataset_digest
from deseptr.evaluate.executors import FoldFailure, Outcome, attempt_fold, local_executor
from deseptr.evaluate.fold_job import FoldJob, FoldResult
from deseptr.train import TrainConfig
from deseptr.train.predictions import Predictions

DATASET = load_dataset("synthetic:subjects=5,seconds=8")
ARENA = make_protocol("arena", DATASET)


@pytest.fixture
def recorder() -> FoldRecorder:
    return FoldRecorder(lambda job: job.fold.name)


def write_fold(dataset: Dataset, job: FoldJob) -> FoldResult:
    """Leave what a fold leaves, of a model that is right three times of four."""
    rng = np.random.default_rng(int(job.fold.name))
    windows = cut_windows(dataset, window_length=150, hop_length=75, rate_hz=50.0).of_subjects(job.fold.test_subjects)
    logits = np.eye(6, dtype=np.float32)[windows.labels] * rng.integers(0, 4, (len(windows), 1)).clip(0, 1)
    logits += rng.normal(size=logits.shape).astype(np.float32) * 1e-3
    predictions = Predictions(
        logits, logits if job.int8 else logits[:0], windows.labels, windows.subjects, np.array(windows.label_names)
    )
    predictions.save(job.predictions)
    figures: dict[str, Any] = {
        "fold": job.fold.name,
        "subjects": {"test": list(job.fold.test_subjects)},
        "windows": {"test": len(windows)},
        "parameters": 7,
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
        yield write_fold(dataset, job)


def run(out: Path, recorder: FoldRecorder, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"executor": quick, "reporter": recorder, "int8": True, **changes}
    dataset, protocol = settings.pop("dataset", DATASET), settings.pop("protocol", ARENA)
    return cross_validate(dataset, protocol, settings.pop("config", TrainConfig()), out, **settings)


def test_summary_pools_all_windows(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, command="deseptr crossval made -o out")
    assert summary == json.loads((tmp_path / "out" / "crossval.json").read_text())
    assert recorder.begun == [(["0", "1", "2", "3", "4"], 0)]
    pooled = Predictions.pool([outcome.predictions for outcome in recorder.outcomes if isinstance(outcome, FoldResult)])
    predicted = pooled.logits.argmax(1)
    scores = score(pooled.labels, predicted, DATASET.label_names, pooled.subjects)
    figures = summary["int8"]
    assert figures["pooled"]["confusion"] == scores.confusion.tolist()
    assert figures["pooled"]["agreement"] == 1
    of_folds = [fold["int8"]["macro_f1"] for fold in summary["folds"]]
    assert figures["mean"]["macro_f1"] == pytest.approx(np.mean(of_folds))
    assert figures["std"]["macro_f1"] == pytest.approx(np.std(of_folds, ddof=1))
    interval = macro_f1_interval(confusions(pooled.labels, predicted, pooled.subjects, 6))
    assert interval is not None
    assert figures["interval"] == interval._asdict()
    assert 0 <= figures["pooled"]["calibration"]["ece"] <= 1
    keys = {"command", "seed", "versions", "config", "protocol", "parameters", "folds_run", "folds_of_protocol"}
    assert keys <= summary.keys()


def test_markdown_has_a_row_per_fold_and_their_number(tmp_path: Path, recorder: FoldRecorder):
    run(tmp_path / "out", recorder, folds=("0", "3"), command="deseptr crossval made -o out")
    text = (tmp_path / "out" / "crossval.md").read_text()
    assert "2 of 5 folds: macro-F1 float 0." in text
    assert "| 3 | 4 | " in text
    assert "| jogging | " in text
    assert "    deseptr crossval made -o out" in text


def test_summary_says_whose_labels_each_fold_used(tmp_path: Path, recorder: FoldRecorder):
    def few(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        for job in jobs:
            figures = write_fold(dataset, job).figures
            figures["subjects"] |= {"labelled": ["7", "9"], "unlabelled": ["8"]}
            atomic_write(job.result, json.dumps(figures))
            yield FoldResult(job, figures)

    run(tmp_path / "out", recorder, executor=few, config=TrainConfig(labelled_subjects=2))
    assert "labels used: subjects 7, 9 (fold 0); 7, 9 (fold 1)" in (tmp_path / "out" / "crossval.md").read_text()


def test_second_call_runs_nothing_and_others_add_folds(tmp_path: Path, recorder: FoldRecorder):
    first = run(tmp_path / "out", recorder, folds=("0",))
    assert run(tmp_path / "out", recorder, folds=("0",)) == first
    both = run(tmp_path / "out", recorder, folds=("0", "3"))
    assert recorder.begun == [(["0"], 0), ([], 1), (["3"], 1)]
    assert (both["folds_run"], both["folds_of_protocol"]) == (["0", "3"], 5)
    assert run(tmp_path / "out", recorder, folds=("0",))["folds_run"] == ["0", "3"]


def test_interrupted_cross_validation_goes_on(tmp_path: Path, recorder: FoldRecorder):
    def interrupted(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        yield write_fold(dataset, jobs[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", recorder, executor=interrupted)
    run(tmp_path / "out", recorder)
    assert recorder.begun[1] == (["1", "2", "3", "4"], 1)


def test_failing_fold_does_not_stop_the_others(tmp_path: Path, recorder: FoldRecorder):
    def partly(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        error = ConversionError("fold", found="a", expected="b", next_step="c")
        yield FoldFailure(jobs[0], error)
        yield from quick(dataset, jobs[1:])

    with pytest.raises(ConversionError, match="fold: found a"):
        run(tmp_path / "out", recorder, executor=partly)
    assert json.loads((tmp_path / "out" / "crossval.json").read_text())["folds_run"] == ["1", "2", "3", "4"]


def test_other_settings_and_data_are_refused_before_any_fold_is_run(tmp_path: Path, recorder: FoldRecorder):
    run(tmp_path / "out", recorder, folds=("1",))
    with pytest.raises(SetupError, match=r"fold-1/job\.json: dim: found 8, expected 32"):
        run(tmp_path / "out", recorder, config=TrainConfig(dim=8))
    with pytest.raises(SetupError, match=r"fold-1/job\.json: test_subjects: found \['1'\], expected \['2'\]"):
        run(tmp_path / "out", recorder, protocol=make_protocol("loso", DATASET, window_s=3.0))
    shifted = replace(DATASET, recordings=(*DATASET.recordings[1:], DATASET.recordings[0]))
    with pytest.raises(SetupError, match="data: found synthetic"):
        run(tmp_path / "out", recorder, dataset=shifted)
    assert [path.name for path in (tmp_path / "out").glob("fold-*")] == ["fold-1"]
    run(tmp_path / "out", recorder, config=TrainConfig(dim=8), folds=("1",), overwrite=True)


def test_folder_with_other_files_is_not_changed(tmp_path: Path, recorder: FoldRecorder):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetupError, match="found other files"):
        run(tmp_path, recorder, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_unknown_fold_is_refused(tmp_path: Path, recorder: FoldRecorder):
    with pytest.raises(DataError, match="fold 9: found no such fold, expected some of 0, 1, 2, 3, 4"):
        run(tmp_path / "out", recorder, folds=("9",))
    assert not (tmp_path / "out").exists()


def test_windows_and_labels_are_the_protocols(tmp_path: Path, recorder: FoldRecorder):
    protocol = make_protocol("loso", DATASET, labels=("jogging", "sitting"), window_s=2.0, overlap=0.75)
    seen: list[tuple[Dataset, FoldJob]] = []

    def look(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
        seen.extend((dataset, job) for job in jobs)
        return iter(())

    assert run(tmp_path / "out", recorder, protocol=protocol, executor=look) == {}
    for dataset, job in seen:
        assert dataset.label_names == ("jogging", "sitting")
        assert (job.config.window_s, job.config.overlap) == (2.0, 0.75)


def test_without_int8_there_is_no_int8(tmp_path: Path, recorder: FoldRecorder):
    summary = run(tmp_path / "out", recorder, int8=False)
    assert "int8" not in summary
    assert "int8" not in (tmp_path / "out" / "crossval.md").read_text()


def test_one_fold_has_no_deviation_and_one_subject_no_interval(tmp_path: Path, recorder: FoldRecorder):
    figures = run(tmp_path / "out", recorder, folds=("2",))["float"]
    assert figures["std"]["macro_f1"] is None
    assert figures["interval"] is None


def test_digest_changes_with_any_sample_label_and_subject():
    first, *rest = DATASET.recordings
    signals, labels = first.signals.copy(), first.labels.copy()
    signals[-1, -1] += 1e-3
    labels[0] = 3
    changes: list[dict[str, Any]] = [{"signals": signals}, {"labels": labels}, {"subject": "me"}]
    others = [replace(DATASET, recordings=(replace(first, **change), *rest)) for change in changes]
    others.append(DATASET.with_unlabelled(replace(DATASET, recordings=(first,))))
    others.append(DATASET.with_unlabelled(replace(DATASET, recordings=(replace(first, signals=signals),))))
    assert len({dataset_digest(dataset) for dataset in (DATASET, *others)}) == 6
    assert dataset_digest(DATASET) == dataset_digest(load_dataset("synthetic:subjects=5,seconds=8"))


def test_digest_is_that_of_earlier_versions_so_that_their_folds_are_found_again():
    signals = np.arange(12, dtype=np.float32).reshape(2, 6)
    recording = Recording(signals, 50.0, "ada", np.array([0, 1], np.int16))
    # SHA-256 of the names, the person, the rate, and the bytes of signals and labels.
    assert dataset_digest(Dataset((recording,), ("sit", "walk"), "mine")) == "mine dbd40599121543b0"


def test_expected_errors_are_outcomes_here_and_in_other_processes(tmp_path: Path, tiny_config: TrainConfig):
    jobs = [FoldJob(fold, tiny_config, tmp_path / fold.name, "made") for fold in ARENA.folds[:3]]
    for job in jobs:
        job.folder.mkdir()
        (job.folder / "thesis.tex").touch()
    outcomes = [attempt_fold(DATASET, jobs[0]), *local_executor(2)(DATASET, jobs[1:])]
    assert {outcome.job.fold.name for outcome in outcomes} == {"0", "1", "2"}
    for outcome in outcomes:
        assert isinstance(outcome, FoldFailure)
        assert "found other files" in str(outcome.error)
