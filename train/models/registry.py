"""The table of models by name, without importing Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from deseptr.train import models

if TYPE_CHECKING:
    from deseptr.train.config import TrainConfig


BY_MODEL: Any = None
"""Default of a setting whose value the model's recipe decides."""

DEFAULTS: dict[str, Any] = {
    "views": False,
    "members": ("resnet18",),
    "teacher_share": 1.0,
    "teacher_epochs": 12,
    "teacher_learning_rate": 1e-3,
    "student_epochs": 20,
    "student_learning_rate": 2e-3,
    "dim": 48,
    "clip_norm": 0.0,
    "mixup": 0.0,
    "shift_samples": 0,
    "time_warp": 0.0,
    "sensor_rate": 0.5,
    "gain": 0.0,
    "warp": 0.1,
    "mask": 0.2,
    "cutmix": 0.1,
    "class_weights": "none",
}
"""Value of each ``BY_MODEL`` setting for a model without a recipe of its own."""

VIEWS_RECIPE: dict[str, Any] = {
    "views": True,
    "members": ("wave1d",),
    "teacher_share": 0.5,
    "teacher_epochs": 60,
    "teacher_learning_rate": 3e-3,
    "student_epochs": 60,
    "student_learning_rate": 3e-3,
    "dim": 32,
    "clip_norm": 1.0,
    "mixup": 0.5,
    "shift_samples": 25,
    "time_warp": 0.1,
    "sensor_rate": 1.0,
    "gain": 0.05,
    "warp": 0.0,
    "mask": 0.0,
    "cutmix": 0.0,
    "class_weights": "sqrt",
}
"""The recipe that measured best on the training subjects of HAPT."""


@dataclass(frozen=True)
class Family:
    """A family of models.

    Args:
        build: creates a model from the number of classes and the settings.
        name: name of that model, which states its size.
        input: input of the model: a spectrogram, two views of the window, the scaled window or its views, or features
            of the window.
        distilled: whether it has a distillation head and learns from a teacher.
        teacher_stem: whether it can start with the teacher's stem.
        shortest_window: least number of samples in a window.
        defaults: the settings of its recipe that differ from :data:`DEFAULTS`.
    """

    build: Callable[[int, TrainConfig], Any]
    name: Callable[[TrainConfig], str]
    input: Literal["spectrogram", "views", "window", "features"] = "spectrogram"
    distilled: bool = False
    teacher_stem: bool = False
    shortest_window: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)


def needs_teacher(config: TrainConfig) -> bool:
    """Whether a model learns from a teacher's logits or starts with its stem."""
    family = MODELS[config.model]
    on_its_stem = family.teacher_stem and config.stem != "own"
    return family.distilled and (config.distillation != "none" or on_its_stem)


def _size(config: TrainConfig, depth: int) -> str:
    return f"d{config.dim}_h{config.heads}" + (f"_l{depth}" if depth > 1 else "")


# A ViT has two encoder blocks for each step of depth: as many as the separable models have.
MODELS: dict[str, Family] = {
    "vit": Family(
        lambda classes, c: models.ViT(classes, c.dim, c.heads, 2 * c.depth), lambda c: f"vit_{_size(c, 2 * c.depth)}"
    ),
    "septr": Family(
        lambda classes, c: models.SepTr(classes, c.dim, c.heads, c.depth), lambda c: f"septr_{_size(c, c.depth)}"
    ),
    "septr-time-first": Family(
        lambda classes, c: models.SepTr(classes, c.dim, c.heads, c.depth, first="time"),
        lambda c: f"septr_time_first_{_size(c, c.depth)}",
    ),
    "cnn2d": Family(lambda classes, c: models.Cnn2d(classes), lambda c: "cnn2d_w24"),
    "resnet18": Family(
        lambda classes, c: models.ResNet18(classes, c.teacher_width), lambda c: f"resnet18_w{c.teacher_width}"
    ),
    "deit-vit": Family(
        lambda classes, c: models.DeitViT(classes, c.dim, c.heads, 2 * c.depth),
        lambda c: f"deit_vit_{_size(c, 2 * c.depth)}",
        distilled=True,
    ),
    "deit-septr": Family(
        lambda classes, c: models.DeitSepTr(classes, c.dim, c.heads, c.depth),
        lambda c: f"deit_septr_{_size(c, c.depth)}",
        distilled=True,
    ),
    "deseptr-spectrogram": Family(
        lambda classes, c: models.DeSepTr(classes, c.dim, c.heads, c.depth, c.teacher_width),
        lambda c: f"deseptr_spectrogram_{_size(c, c.depth)}",
        distilled=True,
        teacher_stem=True,
    ),
    "deseptr": Family(
        lambda classes, c: models.WaveformDeSepTr(classes, c.dim),
        lambda c: f"deseptr_d{c.dim}",
        "views",
        distilled=True,
        shortest_window=48,
        defaults=VIEWS_RECIPE,
    ),
    "wave1d": Family(lambda classes, c: models.Wave1d(classes), lambda c: "wave1d_w64", "views", defaults=VIEWS_RECIPE),
    "tinierhar": Family(lambda classes, c: models.TinierHar(classes), lambda c: "tinierhar_f4_u16", "window"),
    "cnn-har": Family(
        lambda classes, c: models.CnnHar(classes, views=2 if c.views else 1),
        lambda c: "cnn_har_views" if c.views else "cnn_har",
        "window",
    ),
    "random-forest": Family(
        lambda classes, c: models.RandomForest(classes, seed=c.seed), lambda c: "random_forest", "features"
    ),
}
