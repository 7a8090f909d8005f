"""Figures of made-up runs: the comparisons, with their means, deviations and intervals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import reliability, score, seeds_interval, softmax
from deseptr.evaluate.finished_run import FinishedRun, Setting
from deseptr.evaluate.run_comparison import compare
from deseptr.train.predictions import Predictions

LABELS = ("lie", "sit", "walk")
TRUTH = np.arange(240) % 3
SUBJECTS = np.array(["2", "9", "10", "11"])[np.arange(240) // 60]
SETTING = Setting(
    dataset="made",
    data=None,
    protocol="held-out subjects",
    folds=(("test", ("2", "9", "10", "11")),),
    subjects=("1", "2", "9", "10", "11"),
    window_s=2.5,
    overlap=0.5,
    labels=LABELS,
    windows=(80, 80, 80),
)


def predict(seed: int, skill: float) -> Predictions:
    logits = np.random.default_rng(seed).normal(size=(240, 3)).astype(np.float32)
    logits += skill * np.eye(3, dtype=np.float32)[TRUTH]
    return Predictions(logits, logits[:0], TRUTH, SUBJECTS, np.array(LABELS))


def make(seed: int = 0, skill: float = 2.0, **changes: Any) -> FinishedRun:
    predictions = predict(seed, skill)
    interval = predictions.interval("float", seed)
    assert interval is not None
    figures = {**predictions.figures("float"), "interval": interval._asdict(), "over_folds": None}
    run = FinishedRun(
        path=Path(f"runs/{seed}"),
        setting=SETTING,
        model="m",
        teacher=False,
        seed=seed,
        settings={"dim": 8},
        parameters=100 + seed,
        macs=1000,
        checkpoint=None,
        minutes=1.0 + seed,
        windows_per_s=500.0,
        figures={"float": figures},
        predictions=predictions,
        histories={},
    )
    return replace(run, **changes)


def groups(*runs: FinishedRun) -> list[dict[str, Any]]:
    (section,) = compare(runs)["sections"]
    return section["groups"]


def test_seeds_are_one_group_with_mean_deviation_and_the_interval_of_the_mean():
    runs = [make(2), make(0), make(1)]
    (group,) = groups(*runs)
    figures = group["float"]
    values = [predict(seed, 2.0).scores("float").macro_f1 for seed in (0, 1, 2)]
    assert group["seeds"] == [0, 1, 2]
    assert figures["macro_f1"]["values"] == values
    assert figures["macro_f1"]["mean"] == pytest.approx(np.mean(values))
    assert figures["macro_f1"]["std"] == pytest.approx(np.std(values, ddof=1))
    interval = seeds_interval(np.stack([predict(seed, 2.0).confusions("float") for seed in (0, 1, 2)]))
    assert interval is not None
    assert figures["interval"] == interval._asdict()
    assert interval.low < figures["macro_f1"]["mean"] < interval.high
    assert (group["minutes"], group["parameters"]) == (2.0, 101)


def test_pooled_figures_are_those_of_all_windows():
    (group,) = groups(make(0), make(1))
    parts = [predict(seed, 2.0) for seed in (0, 1)]
    both = Predictions.pool(parts)
    expected = reliability(softmax(both.logits), both.labels).to_dict()["bins"]
    for found, each in zip(group["float"]["reliability"], expected, strict=True):
        assert found == pytest.approx(each)
    assert group["float"]["confusion"] == score(both.labels, both.logits.argmax(1), LABELS).confusion.tolist()
    f1 = [part.scores("float").per_class_f1["sit"] for part in parts]
    assert group["float"]["per_class_f1"]["sit"] == pytest.approx(np.mean(f1))
    assert list(group["float"]["per_subject_f1"]) == ["2", "9", "10", "11"]


def test_one_run_keeps_its_own_interval_and_has_no_deviation():
    run = make(3)
    (group,) = groups(run)
    assert group["float"]["interval"] == run.figures["float"]["interval"]
    assert group["float"]["macro_f1"]["std"] is None
    assert not group["best"]


def test_interval_of_seeds_takes_the_predictions_of_all():
    (group,) = groups(make(0), make(1, predictions=None))
    assert group["float"]["interval"] is None


def test_old_runs_without_calibration_have_no_ece():
    figures = {**make(0).figures["float"], "calibration": None, "interval": None}
    (group,) = groups(make(0, figures={"float": figures}, predictions=None))
    assert group["float"]["ece"] is group["float"]["reliability"] is group["float"]["interval"] is None


def test_int8_is_shown_only_where_every_seed_has_it():
    both = make(0, figures=dict.fromkeys(("float", "int8"), make(0).figures["float"]))
    assert "int8" in groups(both)[0]
    assert "int8" not in groups(both, make(1))[0]


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "other"},
        {"data": "made 0123"},
        {"protocol": "loso"},
        {"folds": (("test", ("2", "9", "10")),)},
        {"subjects": ("1", "2", "3", "9", "10", "11")},
        {"window_s": 3.0},
        {"overlap": 0.75},
        {"labels": ("lie", "sit", "run")},
        {"windows": (80, 80, 79)},
    ],
)
def test_other_data_or_protocol_is_another_section(change: dict[str, Any]):
    other = make(1, setting=replace(SETTING, **change))
    if "labels" in change:
        other.figures["float"]["per_class_f1"]["run"] = 0.5
    sections = compare([make(0), other])["sections"]
    assert [len(section["groups"]) for section in sections] == [1, 1]
    assert not any(group["best"] for section in sections for group in section["groups"])


def test_groups_fall_and_the_first_is_the_best():
    found = groups(make(0, 0.5, model="poor"), make(0, 4.0, model="good"), make(0, 2.0, model="fair"))
    assert [(group["label"], group["best"]) for group in found] == [("good", True), ("fair", False), ("poor", False)]


def test_other_settings_are_another_group_named_in_the_label():
    runs = [make(0, 3.0), make(1, 3.0), make(0, 1.0, settings={"dim": 8, "rotation": 0.0})]
    assert [group["label"] for group in groups(*runs)] == ["m, rotation unset", "m, rotation 0.0"]


def test_a_seed_that_occurs_twice_is_no_second_seed():
    found = groups(make(0, 3.0, path=Path("runs/a")), make(0, 1.0, path=Path("runs/b")))
    assert [group["label"] for group in found] == ["m, runs/a", "m, runs/b"]


def test_teacher_of_several_runs_is_there_once():
    teacher = {"model": "resnet18_w64", "teacher": True, "skill": 3.0}
    shared = [make(0, **teacher), make(0, **teacher, path=Path("runs/b"))]
    found = groups(make(0), *shared, make(1, **teacher))
    assert [(group["label"], group["seeds"]) for group in found] == [("resnet18_w64 (teacher)", [0, 1]), ("m", [0])]
