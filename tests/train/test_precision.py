"""Mixed precision through the whole of training: which parts compute in bfloat16, and that no saved part does."""

import functools
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from op_by_op import op_by_op
from reporters import Quiet, Stop

from deseptr.contract import ModelContract, ModelError
from deseptr.data import load_dataset
from deseptr.train import RunFolder, TrainConfig, load_run, stages
from deseptr.train.checkpoint import load_checkpoint
from deseptr.train.config import NETWORK_NAMES, PRECISIONS, STEM_MODELS
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.history import read_history
from deseptr.train.models.registry import MODELS
from deseptr.train.objective import Objective
from deseptr.train.pipeline import train
from deseptr.train.precision import POLICIES, dtype_policy
from deseptr.train.preparation import make_contract, prepare
from deseptr.train.stages import TrainingRun, build_student, train_alone, train_student
from deseptr.train.training_loop import predict_logits, score_classifier
from deseptr.train.view_encoder import ViewEncoder
from deseptr.train.window_front_end import WindowScale

DATA = "synthetic:subjects=4,seconds=12"
# The default, one of each kind of layer, and the others among the slow.
FAST = (TrainConfig.model, "deseptr-spectrogram", "tinierhar")
FAST_AND_SLOW = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in NETWORK_NAMES]


def windows_for(classifier: Any) -> np.ndarray:
    """Five windows of noise, with the history that its front end takes."""
    length = 128 + getattr(classifier.front_end, "history", 0)
    return np.random.default_rng(0).normal(size=(5, length, 6)).astype(np.float32) * 5


def settings(model: str, precision: str) -> TrainConfig:
    """One epoch of one model, without a teacher."""
    stem = {"stem": "own"} if model in STEM_MODELS else {}
    config = TrainConfig(model, distillation="none", precision=precision, **stem)
    return replace(config, teacher_width=4, dim=8, heads=2, batch_size=16, teacher_epochs=1, student_epochs=1)


@pytest.fixture(scope="module")
def one_step() -> Callable[[str], tuple[ModelContract, Any]]:
    """Makes a contract of a model, and windows for a single step."""
    dataset = load_dataset(DATA)

    def make(model: str) -> tuple[ModelContract, Any]:
        config = settings(model, "float32")
        data = prepare(dataset, config)
        parts = ("training", "validation", "test", "margined")
        few = {part: getattr(data, part).take(np.arange(12)) for part in parts}
        return make_contract(dataset, data, config, ()), replace(data, **few)

    return make


@pytest.fixture
def objectives(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The objective of each stage."""
    fitted, fit = [], stages.fit
    monkeypatch.setattr(stages, "fit", lambda *given, **named: fitted.append(given[0]) or fit(*given, **named))
    return fitted


@pytest.fixture
def learn(
    one_step: Callable[[str], tuple[ModelContract, Any]],
    objectives: list[Any],
    tmp_path: Path,
    reporter,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Train a network for a step: its checkpoint, its objective, its loss, the dtypes that it took and gave in it."""

    def learn(model: str, precision: str) -> tuple[Any, Objective, float, set[str]]:
        contract, data = one_step(model)
        config, family = settings(model, precision), MODELS[model]
        run = TrainingRun(RunFolder(tmp_path), contract, data, config, reporter)
        dtypes = watch_training(type(family.build(run.classes, config)), monkeypatch)
        ranges = contract.input_range
        front_end = {
            "window": lambda: WindowScale(ranges),
            "views": lambda: ViewEncoder(ranges),
            "spectrogram": lambda: DftSpectrogram(contract.stft, ranges),
        }[family.input]()
        rows = train_student(run, front_end, None, []) if family.distilled else train_alone(run, front_end)
        return load_checkpoint(run.folder.model, contract), objectives[0], rows[0]["loss"], dtypes

    return learn


def watch_training(kind: type, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Collect the dtypes that a kind of network takes and gives when it is called to be trained."""
    call, dtypes = kind.call, set()

    @functools.wraps(call)
    def watched(self: Any, inputs: Any, training: bool | None = None) -> Any:
        outputs = call(self, inputs, training=training)
        if training:
            dtypes.update(keras.backend.standardize_dtype(x.dtype) for x in keras.tree.flatten((inputs, outputs)))
        return outputs

    monkeypatch.setattr(kind, "call", watched)
    return dtypes


def compute_dtypes(*layers: Any) -> set[str]:
    return {part.compute_dtype for layer in layers for part in with_sublayers(layer)}


def with_sublayers(layer: Any) -> list[Any]:
    """A layer and all that hang on its attributes, at any depth."""
    found, queue = {}, [layer]
    while queue:
        part = queue.pop()
        if isinstance(part, list | tuple):
            queue += part
        elif isinstance(part, keras.Layer) and id(part) not in found:
            found[id(part)] = part
            queue += vars(part).values()
    return list(found.values())


def check_float32(path: Path, classifier: Any) -> None:
    """No layer of a checkpoint, no weight and no word of its configuration is of bfloat16, nor are its logits."""
    assert compute_dtypes(classifier) == {"float32"}
    assert {weight.dtype for weight in classifier.weights} == {"float32"}
    with zipfile.ZipFile(path) as archive:
        assert b"bfloat16" not in archive.read("config.json")
    logits = np.asarray(classifier(windows_for(classifier)))
    assert logits.dtype == np.float32
    assert (rounded(logits) != logits).any()


def rounded(values: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.cast(keras.ops.cast(values, "bfloat16"), "float32"))


@pytest.mark.parametrize("model", FAST_AND_SLOW)
def test_network_learns_in_bfloat16_and_is_kept_in_float32(model: str, learn: Any, tmp_path: Path):
    kept, objective, loss, dtypes = learn(model, "bfloat16")
    assert np.isfinite(loss)
    assert dtypes == {"bfloat16"}
    classifier = objective.classifier
    assert compute_dtypes(classifier.network) == {"bfloat16"}
    assert compute_dtypes(objective.augmentation, classifier.front_end) == {"float32"}
    assert objective.compute_dtype == classifier.compute_dtype == "float32"
    states = [*classifier.weights, *objective.optimizer.variables]
    assert {state.dtype for state in states} - {"int64", "int32"} == {"float32"}
    check_float32(RunFolder(tmp_path).model, kept)
    # After a single step the weights are their own average.
    for mine, theirs in zip(kept.get_weights(), classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    windows = windows_for(classifier)
    expected = np.asarray(classifier(windows))
    assert expected.dtype == np.float32
    # bfloat16 has 8 significant bits, of which a dozen layers lose some.
    np.testing.assert_allclose(kept(windows), expected, atol=0.05 * np.abs(expected).max())


def test_network_learns_in_float32_by_default(learn: Any):
    _, objective, _, dtypes = learn("cnn2d", TrainConfig.precision)
    assert dtypes == compute_dtypes(objective) == {"float32"}
    assert objective.classifier.in_precision("float32") is objective.classifier


@pytest.fixture(scope="module")
def distilled(tiny_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch of a teacher and two of a student on its frozen stem, all of them in bfloat16."""
    config = replace(tiny_config, precision="bfloat16", stem="shared-frozen")
    run = tmp_path_factory.mktemp("distilled") / "run"
    with op_by_op():
        train(load_dataset(DATA), run, config, reporter=Quiet())
    return run


def test_teacher_and_student_are_kept_in_float32(distilled: Path):
    folder = RunFolder(distilled)
    contract = ModelContract.load(folder.contract)
    teacher, student = (load_checkpoint(path, contract) for path in (folder.teacher, folder.model))
    check_float32(folder.teacher, teacher)
    check_float32(folder.model, student)
    for mine, theirs in zip(student.network.stem.weights, teacher.network.stem.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs, err_msg=mine.path)


def test_scores_of_the_history_are_those_of_the_checkpoint(distilled: Path):
    config = TrainConfig.load(RunFolder(distilled).config)
    rows = read_history(RunFolder(distilled).history)
    best = max(row["val_macro_f1"] for row in rows if row["stage"] == "student")
    validation = prepare(load_dataset(DATA), config).validation
    assert score_classifier(load_run(distilled)[0], validation).macro_f1 == pytest.approx(best, abs=1e-6)


def test_run_converts(distilled: Path, tmp_path: Path):
    from deseptr.convert import Gate, convert_run

    assert convert_run(distilled, tmp_path / "model.tflite", gate=Gate(0.6, 1.0)).passed


@pytest.mark.usefixtures("eager")
def test_interrupted_run_ends_where_an_unbroken_one_does(
    distilled: Path, tmp_path: Path, reporter, objectives: list[Any]
):
    run, config = tmp_path / "run", TrainConfig.load(RunFolder(distilled).config)
    with pytest.raises(KeyboardInterrupt):
        train(load_dataset(DATA), run, config, reporter=Stop(after=1), teacher_run=distilled)
    train(load_dataset(DATA), run, config, reporter=reporter, teacher_run=distilled, resume=True)
    assert [row["epoch"] for row in reporter.rows] == [2]
    classifiers = [load_run(path)[0] for path in (run, distilled)]
    broken, whole = (predict_logits(each, windows_for(each)) for each in classifiers)
    np.testing.assert_allclose(broken, whole, atol=1e-5)
    losses = [[row["loss"] for row in read_history(RunFolder(path).history)] for path in (run, distilled)]
    assert losses[0] == pytest.approx(losses[1][1:], rel=1e-5)
    for objective in objectives:
        assert compute_dtypes(objective.teacher.network, objective.classifier.network) == {"bfloat16"}


def test_policy_is_keras_own_again_after_a_run(distilled: Path):
    assert keras.config.dtype_policy().name == "float32"


def test_policy_is_keras_own_again_after_an_error(tiny_config: TrainConfig):
    config = replace(settings("deseptr-spectrogram", "bfloat16"), dim=8, heads=3)
    training = prepare(load_dataset(DATA), tiny_config).training
    with pytest.raises(ValueError, match="`heads` must divide `dim`"):
        build_student(WindowScale([40.0] * 6), None, training, config)
    assert keras.config.dtype_policy().name == "float32"


def test_policy_holds_only_within_the_block():
    with dtype_policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_every_precision_has_a_policy():
    assert tuple(POLICIES) == PRECISIONS
    assert [keras.DTypePolicy(name).variable_dtype for name in POLICIES.values()] == ["float32"] * len(POLICIES)


def test_unknown_precision_is_refused():
    with pytest.raises(ModelError, match="precision: found float16, expected one of float32, bfloat16"):
        TrainConfig(precision="float16")
