"""The table of models by name, without importing Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deseptr.train import models

if TYPE_CHECKING:
    from deseptr.train.config import TrainConfig


@dataclass(frozen=True)
class Family:
    """A family of models.

    Args:
        build: creates a model from the number of classes and the settings.
        name: name of that model, which states its size.
        input: input of the model: a spectrogram, the scaled window, or features of the window.
        distilled: whether it has a distillation head and learns from a teacher.
        teacher_stem: whether it can start with the teacher's stem.
    """

    build: Callable[[int, TrainConfig], Any]
    name: Callable[[TrainConfig], str]
    input: Literal["spectrogram", "window", "features"] = "spectrogram"
    distilled: bool = False
    teacher_stem: bool = False


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
    "deseptr": Family(
        lambda classes, c: models.DeSepTr(classes, c.dim, c.heads, c.depth, c.teacher_width),
        lambda c: f"deseptr_{_size(c, c.depth)}",
        distilled=True,
        teacher_stem=True,
    ),
    "tinierhar": Family(lambda classes, c: models.TinierHar(classes), lambda c: "tinierhar_f4_u16", "window"),
    "cnn-har": Family(lambda classes, c: models.CnnHar(classes), lambda c: "cnn_har", "window"),
    "random-forest": Family(
        lambda classes, c: models.RandomForest(classes, seed=c.seed), lambda c: "random_forest", "features"
    ),
}
