"""Every kind of family through the whole of training: alone, from a teacher, on windows, on features."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ModelContract, ModelError, SetupError
from deseptr.data import load_dataset
from deseptr.train import RunFolder, TrainConfig, load_run
from deseptr.train.fit import predict_logits
from deseptr.train.history import read_history
from deseptr.train.pipeline import train

DATA = "synthetic:subjects=4,seconds=12"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("septr-time-first", "septr_time_first_d8_h2"),
        ("resnet18", "resnet18_w4"),
        ("cnn-har", "cnn_har"),
    ],
)
def test_network_alone(model: str, name: str, tiny_config: TrainConfig, tmp_path: Path, reporter):
    config = dataclasses.replace(tiny_config, model=model, student_epochs=1)
    metrics = train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter)
    assert [stage[0] for stage in reporter.stages] == ["student"]
    assert metrics["epochs"] == {"teacher": 0, "student": 1}
    assert "teacher" not in metrics
    assert metrics["student"]["model"] == ModelContract.load(RunFolder(tmp_path / "run").contract).model == name
    assert not RunFolder(tmp_path / "run").teacher.exists()
    assert len(read_history(RunFolder(tmp_path / "run").history)) == 1


def test_distilled_model_without_a_stem_takes_a_given_teacher(
    tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    config = dataclasses.replace(tiny_config, model="deit-vit", student_epochs=1)
    metrics = train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)
    assert [stage[0] for stage in reporter.stages] == ["student"]
    assert metrics["student"]["model"] == "deit_vit_d8_h2_l2"
    assert metrics["teacher"]["model"] == "resnet18_w4"


class Stop:
    """A reporter that pulls the plug after an epoch."""

    def stage(self, *_) -> None: ...

    def batch(self, windows: int) -> None: ...

    def epoch(self, row: dict) -> None:
        raise KeyboardInterrupt


def test_interrupted_network_alone_ends_where_an_unbroken_one_does(tiny_config: TrainConfig, tmp_path: Path, reporter):
    config = dataclasses.replace(tiny_config, model="cnn-har")
    train(load_dataset(DATA), tmp_path / "whole", config, reporter=reporter)
    with pytest.raises(KeyboardInterrupt):
        train(load_dataset(DATA), tmp_path / "broken", config, reporter=Stop())
    train(load_dataset(DATA), tmp_path / "broken", config, reporter=reporter, resume=True)
    windows = np.random.default_rng(0).normal(size=(5, 128, 6)).astype(np.float32) * 5
    whole, broken = (predict_logits(load_run(tmp_path / name)[0], windows) for name in ("whole", "broken"))
    np.testing.assert_allclose(broken, whole, atol=1e-5)


@pytest.fixture
def forest_run(tiny_config: TrainConfig, tmp_path: Path, reporter) -> Path:
    config = dataclasses.replace(tiny_config, model="random-forest")
    train(load_dataset(DATA), tmp_path / "forest", config, reporter=reporter)
    return tmp_path / "forest"


def test_forest_leaves_what_evaluation_needs(forest_run: Path):
    from deseptr.cli.evaluation import evaluate_model, load_predictor

    names = {"model.joblib", "contract.json", "calibration.npz", "metrics.json", "history.csv", "config.json"}
    assert {path.name for path in forest_run.iterdir()} == names
    assert read_history(RunFolder(forest_run).history) == []
    metrics = json.loads(RunFolder(forest_run).metrics.read_text())["student"]
    predictor = load_predictor(forest_run)
    dataset = load_dataset(DATA)
    scores = evaluate_model(predictor, dataset.select(subjects=dataset.test_subjects))
    assert predictor.runtime == "scikit-learn"
    assert scores.confusion.tolist() == metrics["confusion"]
    assert load_predictor(RunFolder(forest_run).forest).contract == predictor.contract


def test_forest_of_other_labels_is_refused(forest_run: Path):
    path = RunFolder(forest_run).contract
    contract = ModelContract.load(path)
    dataclasses.replace(contract, labels=contract.labels[:-1]).save(path)
    with pytest.raises(ModelError, match=r"model\.joblib: found 6 classes, expected 5"):
        load_run(forest_run)


def test_teacher_for_a_model_that_takes_none_is_refused(
    tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    config = dataclasses.replace(tiny_config, model="vit")
    with pytest.raises(SetupError, match="found the model vit, which learns from no teacher, expected one of deit-vit"):
        train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)
    assert not (tmp_path / "run").exists()
