"""The models by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from deseptr.train.config import TrainConfig

from .cnn2d import Cnn2d
from .cnn_har import CnnHar
from .deit_septr import DeitSepTr
from .deit_vit import DeitViT
from .deseptr import DeSepTr
from .random_forest import RandomForest
from .resnet18 import ResNet18
from .septr import SepTr
from .tinierhar import TinierHar
from .vit import ViT


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Args:
        build: makes a model from the number of classes and the settings.
        name: the name of that model, which decodes itself.
        input: what it sees: a spectrogram, the scaled window, or features of it.
        distilled: whether it has a distillation head and learns from a teacher.
        teacher_stem: whether it starts on the teacher's stem.
    """

    build: Callable[[int, TrainConfig], Any]
    name: Callable[[TrainConfig], str]
    input: Literal["spectrogram", "window", "features"] = "spectrogram"
    distilled: bool = False
    teacher_stem: bool = False


def needs_teacher(config: TrainConfig) -> bool:
    """Whether a model learns from a teacher's logits or starts on its stem."""
    family = MODELS[config.model]
    on_its_stem = family.teacher_stem and config.stem != "own"
    return family.distilled and (config.distillation != "none" or on_its_stem)


def _tokens(config: TrainConfig, depth: int | None = None) -> str:
    layers = depth or config.depth
    return f"d{config.dim}_h{config.heads}" + (f"_l{layers}" if layers > 1 else "")


def _vit(kind: Callable[..., Any]) -> Callable[[int, TrainConfig], Any]:
    """As many encoder blocks as the separable models have: two for each step of depth."""
    return lambda classes, c: kind(classes, c.dim, c.heads, 2 * c.depth)


def _septr(kind: Callable[..., Any], **settings: Any) -> Callable[[int, TrainConfig], Any]:
    return lambda classes, c: kind(classes, c.dim, c.heads, c.depth, **settings)


MODELS: dict[str, Family] = {
    "vit": Family(_vit(ViT), lambda c: f"vit_{_tokens(c, 2 * c.depth)}"),
    "septr": Family(_septr(SepTr), lambda c: f"septr_{_tokens(c)}"),
    "septr-time-first": Family(_septr(SepTr, first="time"), lambda c: f"septr_time_first_{_tokens(c)}"),
    "cnn2d": Family(lambda classes, c: Cnn2d(classes), lambda c: "cnn2d_w24"),
    "resnet18": Family(lambda classes, c: ResNet18(classes, c.teacher_width), lambda c: f"resnet18_w{c.teacher_width}"),
    "deit-vit": Family(_vit(DeitViT), lambda c: f"deit_vit_{_tokens(c, 2 * c.depth)}", distilled=True),
    "deit-septr": Family(_septr(DeitSepTr), lambda c: f"deit_septr_{_tokens(c)}", distilled=True),
    "deseptr": Family(
        lambda classes, c: DeSepTr(classes, c.dim, c.heads, c.depth, c.teacher_width),
        lambda c: f"deseptr_{_tokens(c)}",
        distilled=True,
        teacher_stem=True,
    ),
    "tinierhar": Family(lambda classes, c: TinierHar(classes), lambda c: "tinierhar_f4_u16", "window"),
    "cnn-har": Family(lambda classes, c: CnnHar(classes), lambda c: "cnn_har", "window"),
    "random-forest": Family(
        lambda classes, c: RandomForest(classes, seed=c.seed), lambda c: "random_forest", "features"
    ),
}
