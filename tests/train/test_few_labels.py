"""Few people's labels: who keeps them, what is learned without, and that the labels of the others have no influence."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reporters import Quiet, Stop

from deseptr.contract import DataError, ModelError, SetupError
from deseptr.data import Dataset, load_dataset
from deseptr.train import RunFolder, TrainConfig
from deseptr.train.few_labels import record_labelled
from deseptr.train.pipeline import prepare_run, train
from deseptr.train.preparation import TrainingData, prepare

DATASET = load_dataset("synthetic:subjects=6,seconds=12")
CONFIG = TrainConfig(
    members=("cnn-har",),
    teacher_epochs=1,
    student_epochs=2,
    dim=8,
    batch_size=16,
    validation=0,
    labelled_subjects=2,
    shift_samples=4,
)
TEST = ("6",)


def without_the_labels_of_others(dataset: Dataset, labelled: tuple[str, ...]) -> Dataset:
    """The dataset with the labels of all but test and labelled subjects in another order."""
    shuffled = list(dataset.recordings)
    rng = np.random.default_rng(7)
    for subject in set(dataset.subjects) - {*labelled, *TEST}:
        places = [index for index, each in enumerate(shuffled) if each.subject == subject]
        for place, other in zip(places, rng.permutation(places), strict=True):
            shuffled[place] = replace(shuffled[place], labels=dataset.recordings[other].labels)
    return replace(dataset, recordings=tuple(shuffled))


def prepared(dataset: Dataset = DATASET, **changes: Any) -> TrainingData:
    return prepare(dataset, replace(CONFIG, **changes), TEST)


def test_labels_of_unlabelled_wearers_are_not_read():
    data = prepared()
    assert data.few is not None
    other = without_the_labels_of_others(DATASET, data.few.labelled)
    changed = sum(
        not np.array_equal(a.labels, b.labels) for a, b in zip(DATASET.recordings, other.recordings, strict=True)
    )
    assert changed > 6
    again = prepared(other)
    assert again.few is not None
    assert again.few.to_dict() == data.few.to_dict()
    assert (again.epoch_windows, again.split) == (data.epoch_windows, data.split)
    for name in ("training", "test", "margined"):
        one, two = getattr(data, name), getattr(again, name)
        assert one.signals.tobytes() == two.signals.tobytes()
        assert one.labels.tolist() == two.labels.tolist()


def test_an_epoch_is_as_long_as_with_all_labels_and_test_subjects_are_in_neither_part():
    data, whole = prepared(), prepared(labelled_subjects=0)
    assert whole.few is None
    # Every synthetic wearer has as many windows.
    assert data.epoch_windows == whole.epoch_windows == len(whole.training) > len(data.training)
    assert data.few is not None
    assert data.few.unlabelled is not None
    assert set(data.training.subjects) == set(data.few.labelled)
    assert set(data.few.unlabelled.subjects) == set(data.split.train) - set(data.few.labelled)
    assert data.few.unlabelled.signals.shape[1:] == data.margined.signals.shape[1:]


@pytest.mark.parametrize(
    "changes",
    [
        {"distillation": "none"},
        {"unlabelled_share": 0.0},
        {"model": "cnn-har"},
        {"model": "random-forest", "views": False},
    ],
)
def test_without_a_teacher_or_a_share_only_the_labelled_windows_are_kept(changes: dict[str, Any]):
    data = prepared(**changes)
    assert data.few is not None
    assert data.few.unlabelled is None
    assert data.few.subjects["unlabelled"] == []
    assert data.epoch_windows > len(data.training)
    with pytest.raises(SetupError, match=r"--unlabelled: found the model .*expected a model with a teacher"):
        prepared(DATASET.with_unlabelled(DATASET), **changes)


def test_recordings_without_labels_are_those_of_nobody_who_is_held_out():
    more = load_dataset("synthetic:subjects=8,seconds=12,seed=1,rate_hz=100")
    data = prepared(DATASET.with_unlabelled(more), labelled_subjects=0, validation=0.2)
    assert data.few is not None
    assert data.few.unlabelled is not None
    held_out = {*data.split.validation, *data.split.test}
    assert set(data.few.unlabelled.subjects) == {str(n) for n in range(1, 9)} - held_out
    assert data.few.labelled == data.split.train
    assert data.epoch_windows == len(data.training)
    assert data.few.unlabelled.rate_hz == 50.0


def only(labels: dict[str, tuple[str, ...]]) -> Dataset:
    """The dataset with these labels alone of each subject, and nothing of other training subjects' jogging."""
    names = DATASET.label_names
    others = tuple(name for name in names if name != "jogging")
    allowed = {subject: names if subject in TEST else labels.get(subject, others) for subject in DATASET.subjects}
    kept = tuple(r for r in DATASET.recordings if names[r.labels[0]] in allowed[r.subject])
    return replace(DATASET, recordings=kept)


def test_who_has_a_rare_class_is_chosen():
    few = prepared(only({"3": ("jogging", "sitting")}), labelled_subjects=2).few
    assert few is not None
    assert few.absent == ()
    assert "3" in few.labelled


def test_a_class_that_no_labelled_wearer_has_is_named_and_has_no_weight(tmp_path: Path):
    config = replace(CONFIG, labelled_subjects=1, class_weights="balanced")
    run = prepare_run(only({"3": ("jogging", "sitting")}), tmp_path / "run", config, Quiet(), TEST)
    assert json.loads(run.folder.labelled.read_text())["absent_classes"] == ["jogging"]
    assert run.class_weights is not None
    assert run.class_weights[DATASET.label_names.index("jogging")] == 0
    assert run.class_weights[run.data.training.labels].mean() == pytest.approx(1)


def test_more_labelled_subjects_than_training_subjects_are_refused():
    with pytest.raises(DataError, match="labelled subjects: found 6, expected 1 to 5"):
        prepared(labelled_subjects=6)


def test_a_run_goes_on_with_what_it_began_with(tmp_path: Path):
    few, path = prepared().few, tmp_path / "labelled.json"
    record_labelled(few, path)
    before = path.read_bytes()
    record_labelled(few, path)
    more = prepared(DATASET.with_unlabelled(load_dataset("synthetic:subjects=2,seconds=12,seed=1"))).few
    with pytest.raises(ModelError, match="unlabelled_windows: found 240, expected 144, as when the run began"):
        record_labelled(more, path)
    with pytest.raises(ModelError, match="labelled: found nothing"):
        record_labelled(None, path)
    assert path.read_bytes() == before
    record_labelled(None, tmp_path / "other.json")
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize("torn", [b"[1]", b"[" * 200_000, b"\xff", b""])
def test_a_torn_record_is_none(torn: bytes, tmp_path: Path):
    path = tmp_path / "labelled.json"
    path.write_bytes(torn)
    record_labelled(prepared().few, path)
    assert json.loads(path.read_text())["labelled"]


def test_whose_labels_are_learned_from_is_in_the_folder_before_the_first_epoch(tmp_path: Path):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(DATASET, run, CONFIG, reporter=Quiet(), test_subjects=TEST, prepared=stop)
    data = prepared()
    assert data.few is not None
    kept = json.loads((run / "labelled.json").read_text())
    assert len(kept["labelled"]) == 2
    assert kept == data.few.to_dict()


@pytest.mark.slow
def test_resumed_on_other_labels_of_unlabelled_wearers_the_model_is_the_same(tmp_path: Path):
    train(DATASET, tmp_path / "whole", CONFIG, reporter=Quiet(), test_subjects=TEST)
    whole = RunFolder(tmp_path / "whole")
    metrics = json.loads(whole.metrics.read_text())
    other = without_the_labels_of_others(DATASET, tuple(metrics["subjects"]["labelled"]))
    with pytest.raises(KeyboardInterrupt):
        train(other, tmp_path / "broken", CONFIG, reporter=Stop(2), test_subjects=TEST)
    again = train(other, tmp_path / "broken", CONFIG, reporter=Quiet(), test_subjects=TEST, resume=True)
    broken = RunFolder(tmp_path / "broken")
    assert broken.predictions.read_bytes() == whole.predictions.read_bytes()
    assert broken.teacher_predictions.read_bytes() == whole.teacher_predictions.read_bytes()
    assert again["student"]["confusion"] == metrics["student"]["confusion"]
    alone = replace(CONFIG, unlabelled_share=0.0)
    train(DATASET, tmp_path / "taught", alone, reporter=Quiet(), test_subjects=TEST)
    taught = RunFolder(tmp_path / "taught")
    assert taught.teacher_predictions.read_bytes() == whole.teacher_predictions.read_bytes()
    assert taught.predictions.read_bytes() != whole.predictions.read_bytes()
