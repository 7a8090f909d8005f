"""Every kind of family through the whole of training: alone, from a teacher, on windows, on features."""

import dataclasses
import functools
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from reporters import Quiet, Stop

from deseptr.contract import ModelContract, ModelError, SetupError
from deseptr.data import load_dataset
from deseptr.train import RunFolder, TrainConfig, load_run
from deseptr.train.checkpoint import load_checkpoint
from deseptr.train.history import read_history
from deseptr.train.models.random_forest import RandomForest
from deseptr.train.pipeline import train
from deseptr.train.preparation import prepare
from deseptr.train.stages import build_augmentation, build_student
from deseptr.train.training_loop import predict_logits
from deseptr.train.window_front_end import WindowScale

pytestmark = pytest.mark.usefixtures("eager")

DATA = "synthetic:subjects=4,seconds=12"


def test_each_setting_reaches_its_part_of_the_augmentation():
    settings = {"shift": 0.4, "rotation_degrees": 7.0, "gain": 0.1, "rate_jitter": 0.05, "dropped": 0.06}
    in_time = {"shift_samples": 7, "time_warp": 0.05, "mixup": 0.4, "sensor_rate": 0.9}
    config = TrainConfig(**settings, **in_time, noise=0.01, mirror="z", warp=0.11, mask=0.3, cutmix=0.2)
    augmentation = build_augmentation(WindowScale([40.0, 10.0]), config, window_length=100)
    assert [layer.max_samples for layer in augmentation.in_time] == [7, 5]
    assert [layer.rate for layer in augmentation.mixup] == [0.4]
    assert [layer.rate for layer in augmentation.on_windows[2:5]] == [0.5, 0.9, 0.9]
    noise, mirror, shift, rotation, *others = augmentation.on_windows
    assert mirror.axis == "z"
    assert noise.stddev == pytest.approx([0.4, 0.1])
    sizes = [shift.max_fraction, rotation.max_degrees, *(layer.max_fraction for layer in others)]
    assert sizes == list(settings.values())
    assert [layer.max_fraction for layer in augmentation.on_spectrograms] == [0.11, 0.11, 0.3, 0.3]
    assert [layer.rate for layer in augmentation.cutmix] == [0.2, 0.2]


class Alone(NamedTuple):
    """A training without a teacher: its folder, its result, and its reporter."""

    run: Path
    metrics: dict[str, Any]
    reporter: Quiet


@pytest.fixture(scope="module")
def alone(tiny_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Alone]:
    """Train a network alone for an epoch; once, for all tests that ask for the same."""

    @functools.cache
    def make(model: str) -> Alone:
        config = dataclasses.replace(tiny_config, model=model, student_epochs=1)
        run, reporter = tmp_path_factory.mktemp(model) / "run", Quiet()
        return Alone(run, train(load_dataset(DATA), run, config, reporter=reporter), reporter)

    return make


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("septr-time-first", "septr_time_first_d8_h2"),
        ("resnet18", "resnet18_w4"),
        ("cnn-har", "cnn_har"),
    ],
)
def test_network_alone(model: str, name: str, alone: Callable[[str], Alone]):
    run, metrics, reporter = alone(model)
    assert [stage[0] for stage in reporter.stages] == ["student"]
    assert metrics["epochs"] == {"teacher": 0, "student": 1}
    assert "teacher" not in metrics
    assert metrics["student"]["model"] == ModelContract.load(RunFolder(run).contract).model == name
    assert not RunFolder(run).teacher.exists()
    assert len(read_history(RunFolder(run).history)) == 1


def test_distilled_model_without_a_stem_takes_a_given_teacher(
    tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    config = dataclasses.replace(tiny_config, model="deit-vit", student_epochs=1)
    metrics = train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)
    assert [stage[0] for stage in reporter.stages] == ["student"]
    assert metrics["student"]["model"] == "deit_vit_d8_h2_l2"
    assert metrics["teacher"]["model"] == "resnet18_w4"


def stem_weights(run: Path, teacher_run: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name of each weight of the stem, its values in the student and in the teacher."""
    teacher = load_checkpoint(RunFolder(teacher_run).teacher, ModelContract.load(RunFolder(teacher_run).contract))
    pairs = zip(load_run(run)[0].network.stem.weights, teacher.network.stem.weights, strict=True)
    return [(mine.name, np.asarray(mine), np.asarray(theirs)) for mine, theirs in pairs]


def test_frozen_stem_stays_the_teachers_with_its_statistics_and_converts(
    tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    from deseptr.convert import Gate, convert_run

    config = dataclasses.replace(tiny_config, stem="shared-frozen")
    train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)
    for name, mine, theirs in stem_weights(tmp_path / "run", tiny_run):
        np.testing.assert_array_equal(mine, theirs, err_msg=name)
    conversion = convert_run(tmp_path / "run", tmp_path / "model.tflite", gate=Gate(0.6, 1.0))
    assert conversion.passed  # far above chance; two epochs leave most windows near ties


def test_shared_stem_is_tuned_with_its_statistics(tiny_run: Path):
    for name, mine, theirs in stem_weights(tiny_run, tiny_run):
        assert np.abs(mine - theirs).max() > 1e-6, name


def test_frozen_stem_is_resumed_where_it_stopped(tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter):
    config = dataclasses.replace(tiny_config, stem="shared-frozen", distillation="none")
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(load_dataset(DATA), run, config, reporter=Stop(1), teacher_run=tiny_run)
    train(load_dataset(DATA), run, config, reporter=reporter, teacher_run=tiny_run, resume=True)
    assert [row["epoch"] for row in reporter.rows] == [2]
    for name, mine, theirs in stem_weights(run, tiny_run):
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


def test_own_stem_does_not_start_from_the_teachers(tiny_run: Path, tiny_config: TrainConfig):
    contract = ModelContract.load(RunFolder(tiny_run).contract)
    teacher = load_checkpoint(RunFolder(tiny_run).teacher, contract)
    training = prepare(load_dataset(DATA), tiny_config).training
    student = build_student(teacher.front_end, teacher, training, dataclasses.replace(tiny_config, stem="own"))
    mine, theirs = (np.asarray(model.network.stem.convolution.kernel) for model in (student, teacher))
    assert mine.shape == theirs.shape
    assert np.abs(mine - theirs).max() > 0.01
    assert student.network.stem.trainable_weights


@pytest.mark.parametrize("given", [False, True])
def test_student_that_takes_nothing_of_a_teacher_needs_none(
    given: bool, tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    config = dataclasses.replace(tiny_config, distillation="none", stem="own", student_epochs=1)
    teacher = tiny_run if given else None
    metrics = train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=teacher)
    assert [stage[0] for stage in reporter.stages] == ["student"]
    assert ("teacher" in metrics) is given
    assert not RunFolder(tmp_path / "run").teacher.exists()
    assert load_run(tmp_path / "run")[0].front_end.gain == load_run(tiny_run)[0].front_end.gain


def test_student_without_distillation_still_takes_the_stem(tiny_config: TrainConfig, tmp_path: Path, reporter):
    config = dataclasses.replace(tiny_config, distillation="none", student_epochs=1)
    train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter)
    assert [stage[0] for stage in reporter.stages] == ["teacher", "student"]


def test_student_is_not_built_without_the_teacher_it_needs(tiny_run: Path, tiny_config: TrainConfig):
    training = prepare(load_dataset(DATA), tiny_config).training
    with pytest.raises(ValueError, match="`teacher` must be given"):
        build_student(load_run(tiny_run)[0].front_end, None, training, tiny_config)


def test_lone_resnet_is_lent_as_teacher(
    alone: Callable[[str], Alone], tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    """It is the one that the run would have trained itself: it learns with a teacher's settings."""
    student = tmp_path / "student"
    train(load_dataset(DATA), student, tiny_config, reporter=reporter, teacher_run=alone("resnet18").run)
    windows = np.random.default_rng(0).normal(size=(5, 128, 6)).astype(np.float32) * 5
    lent, own = (predict_logits(load_run(run)[0], windows) for run in (student, tiny_run))
    np.testing.assert_allclose(lent, own, atol=1e-5)


def test_interrupted_network_alone_ends_where_an_unbroken_one_does(tiny_config: TrainConfig, tmp_path: Path, reporter):
    config = dataclasses.replace(tiny_config, model="cnn-har")
    train(load_dataset(DATA), tmp_path / "whole", config, reporter=reporter)
    with pytest.raises(KeyboardInterrupt):
        train(load_dataset(DATA), tmp_path / "broken", config, reporter=Stop(1))
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
    from deseptr.evaluate.predictor import evaluate_model, load_predictor

    names = {
        "model.npz",
        "contract.json",
        "calibration.npz",
        "metrics.json",
        "history.csv",
        "config.json",
        "predictions.npz",
    }
    assert {path.name for path in forest_run.iterdir()} == names
    assert read_history(RunFolder(forest_run).history) == []
    metrics = json.loads(RunFolder(forest_run).metrics.read_text())["student"]
    predictor = load_predictor(forest_run)
    dataset = load_dataset(DATA)
    scores = evaluate_model(predictor, dataset.select(subjects=dataset.test_subjects))
    assert predictor.runtime == "numpy"
    assert scores.confusion.tolist() == metrics["confusion"]
    assert load_predictor(RunFolder(forest_run).forest).contract == predictor.contract


def test_forest_of_other_labels_is_refused(forest_run: Path):
    path = RunFolder(forest_run).contract
    contract = ModelContract.load(path)
    dataclasses.replace(contract, labels=contract.labels[:-1], mounting=None).save(path)
    with pytest.raises(ModelError, match=r"model\.npz: found 6 classes, expected 5"):
        load_run(forest_run)


def test_settings_choose_the_model_whatever_else_lies_there(forest_run: Path, tiny_run: Path, tmp_path: Path):
    import keras

    for name in ("model.keras", "teacher.keras"):
        shutil.copy(tiny_run / name, forest_run)
    assert isinstance(load_run(forest_run)[0], RandomForest)
    both = shutil.copytree(tiny_run, tmp_path / "both")
    shutil.copy(RunFolder(forest_run).forest, both)
    assert isinstance(load_run(both)[0], keras.Model)


def test_settings_that_name_no_model_are_refused(forest_run: Path):
    for content in ('{"model": "tree"}', '{"model": ["random-forest"]}', "[]", "{"):
        RunFolder(forest_run).config.write_text(content)
        with pytest.raises(ModelError, match=r"config\.json: found unreadable settings"):
            load_run(forest_run)


def test_pickle_in_a_run_is_never_executed(forest_run: Path, tiny_run: Path, tmp_path: Path):
    honest = shutil.copytree(tiny_run, tmp_path / "honest")
    executed = tmp_path / "executed"
    (honest / "model.joblib").write_bytes(pickle.dumps(Execute(executed)))
    load_run(honest)
    for place in ("model.joblib", "model.npz"):
        RunFolder(forest_run).forest.unlink(missing_ok=True)
        (forest_run / place).write_bytes(pickle.dumps(Execute(executed)))
        for path in (forest_run, forest_run / place):
            with pytest.raises(ModelError, match=r"; train again$") as caught:
                load_run(path)
            assert "\n" not in str(caught.value)
    assert not executed.exists()
    pickle.loads((honest / "model.joblib").read_bytes())
    assert executed.exists()


def test_forest_of_an_earlier_version_is_refused_by_name(forest_run: Path):
    RunFolder(forest_run).forest.rename(forest_run / "model.joblib")
    for path in (forest_run, forest_run / "model.joblib"):
        with pytest.raises(ModelError, match=r"model\.joblib: found a pickled random forest of an earlier version"):
            load_run(path)


class Execute:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_teacher_for_a_model_that_takes_none_is_refused(
    tiny_run: Path, tiny_config: TrainConfig, tmp_path: Path, reporter
):
    config = dataclasses.replace(tiny_config, model="vit")
    with pytest.raises(SetupError, match="found the model vit, which uses no teacher, expected one of deit-vit"):
        train(load_dataset(DATA), tmp_path / "run", config, reporter=reporter, teacher_run=tiny_run)
    assert not (tmp_path / "run").exists()
