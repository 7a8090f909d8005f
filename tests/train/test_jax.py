"""The second backend, in a separate process: the backend is chosen when Keras is imported."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jax_process import on_jax

from deseptr.contract import StftSpec
from deseptr.train import TrainConfig
from deseptr.train.classifier import WindowClassifier
from deseptr.train.config import NETWORK_NAMES
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.models.registry import MODELS
from deseptr.train.training_loop import predict_logits, save_classifier
from deseptr.train.view_encoder import ViewEncoder
from deseptr.train.window_front_end import WindowScale

pytest.importorskip("jax")

_SMALL: dict[str, Any] = {"teacher_width": 4, "dim": 8, "heads": 2}
_FORWARD = """
import keras, numpy as np
from deseptr.train import front_end, models, view_encoder, window_front_end
from deseptr.train.training_loop import predict_logits
windows = np.load("windows.npy")
# Keras finds only classes whose modules have been imported.
for name in dir(models):
    getattr(models, name)
for name in {names!r}:
    np.save(f"{{name}}.jax.npy", predict_logits(keras.saving.load_model(f"{{name}}.keras", compile=False), windows))
"""
_STEPS = """
import keras, numpy as np
from deseptr.contract import StftSpec
from deseptr.train.averaged_adamw import AveragedAdamW
from deseptr.train.classifier import WindowClassifier
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.models import DeSepTr, ResNet18
from deseptr.train.objective import Augmentation, DistillationObjective, SupervisedObjective

keras.utils.set_random_seed(0)
front_end = DftSpectrogram(StftSpec(16, 8, 2), [10.0] * 6)
teacher = WindowClassifier(front_end, ResNet18(3, width=4))
student = WindowClassifier(front_end, DeSepTr(3, dim=8, heads=2, stem_filters=4))
augmentation = Augmentation(front_end, [0.1] * 6)
weights = np.array([0.5, 1, 2], "float32")
batch = {
    "windows": np.random.default_rng(0).normal(size=(4, 64, 6)).astype("float32"),
    "targets": np.eye(3, dtype="float32")[[0, 1, 2, 0]],
}
for objective in (
    SupervisedObjective(teacher, augmentation, 0.1, weights),
    DistillationObjective(student, teacher, augmentation, class_weights=weights),
):
    objective.build({"windows": (None, 64, 6), "targets": (None, 3)})
    objective.compile(AveragedAdamW(0.1, 0.25), jit_compile=True)
    before = [np.array(weight) for weight in objective.trainable_weights]
    assert np.isfinite(objective.train_on_batch(batch))
    after = [np.array(weight) for weight in objective.trainable_weights]
    assert all((new != old).any() for new, old in zip(after, before, strict=True))
    for average, weight in zip(objective.optimizer.averages, after, strict=True):
        np.testing.assert_allclose(average, weight)
    print(type(objective).__name__)
"""


def test_training_is_imported_without_tensorflow(tmp_path: Path):
    modules = ("train.stages", "train.pipeline", "train.checkpoint", "evaluate.crossval")
    code = "".join(f"import deseptr.{module}\n" for module in modules)
    assert on_jax(f"{code}import sys\nprint('tensorflow' in sys.modules)", tmp_path).split() == ["False"]


@pytest.mark.slow
def test_every_network_gives_the_same_logits_on_both_backends(tmp_path: Path, rng: np.random.Generator):
    windows = rng.normal(size=(4, 128, 6)).astype(np.float32) * 5
    np.save(tmp_path / "windows.npy", windows)
    here = {}
    for name in NETWORK_NAMES:
        ranges = [10.0] * 6
        kind = MODELS[name].input
        spectral = DftSpectrogram(StftSpec(32, 4), ranges)
        front_end = {"window": WindowScale(ranges), "views": ViewEncoder(ranges)}.get(kind, spectral)
        config = TrainConfig(model=name, **_SMALL)
        classifier = WindowClassifier(front_end, MODELS[name].build(5, config))
        here[name] = predict_logits(classifier, windows)
        save_classifier(classifier, tmp_path / f"{name}.keras")
    on_jax(_FORWARD.format(names=NETWORK_NAMES), tmp_path)
    for name, logits in here.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.jax.npy"), logits, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_both_objectives_take_a_step(tmp_path: Path):
    assert on_jax(_STEPS, tmp_path).split() == ["SupervisedObjective", "DistillationObjective"]


@pytest.mark.slow
def test_command_trains(tmp_path: Path):
    settings = {"teacher-width": 4, "teacher-epochs": 1, "student-epochs": 2, "dim": 8, "batch-size": 16}
    options = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    data = "synthetic:subjects=4,seconds=12"
    on_jax("deseptr.cli", tmp_path, "train", data, "-o", "run", "--tensorboard", *options)
    assert (tmp_path / "run" / "model.keras").exists()
    assert (tmp_path / "run" / "tensorboard" / "student").is_dir()
