"""Options that become fields of ``TrainConfig``, shared by the commands that train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from deseptr.cli.common.numbers import number
from deseptr.train.config import (
    CLASS_WEIGHTS,
    DISTILLATION_NAMES,
    LIMITS,
    MEMBERS,
    MIRRORS,
    MODEL_NAMES,
    PRECISIONS,
    STEM_NAMES,
    TrainConfig,
)
from deseptr.train.models.registry import BY_MODEL

Decorator = Callable[[Any], Any]


def setting(name: str, text: str, kind: click.ParamType[Any] | None = None) -> Decorator:
    """Make an option for a field of ``TrainConfig``, with that field's default; a number's type is the field's own."""
    flag = "--" + name.replace("_", "-")
    default = getattr(TrainConfig, name)
    shown = "by model" if default is BY_MODEL else True
    return click.option(flag, type=kind or number(LIMITS[name]), default=default, show_default=shown, help=text)


class Named(click.Choice[str]):
    """One of many names, which the option's help lists; a line of all of them would be too wide for a terminal."""

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """The word for any of them."""
        return "NAME"


class Names(click.ParamType[tuple[str, ...]]):
    """A list of some of these names, such as ``wave1d,cnn-har``."""

    name = "NAMES"

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse the list."""
        if isinstance(value, tuple):
            return value
        chosen = tuple(part.strip() for part in value.split(","))
        unknown = [name for name in chosen if name not in self.known]
        if unknown:
            self.fail(f"found {unknown[0]!r}, expected some of {','.join(self.known)}", param, ctx)
        return chosen


_MODEL = (setting("model", f"Model to train: {', '.join(MODEL_NAMES)}.", Named(MODEL_NAMES)),)
_TRAINING = (
    setting("teacher_epochs", "Epochs of the teacher."),
    setting("student_epochs", "Epochs of the student, or of a model without a teacher."),
    setting("teacher_width", "Channels of the teacher's first stage; 64 is ResNet-18."),
    setting("dim", "Width of the tokens."),
    setting("heads", "Attention heads."),
    setting("depth", "Pairs of encoder blocks."),
    setting("prediction", "Head that gives the logits.", click.Choice(["class", "distillation", "mean"])),
    setting("quiet_gain", "Magnification of the second level, for quiet motion; 0: none."),
    click.option(
        "--views/--no-views",
        default=BY_MODEL,
        show_default="by model",
        help="Input: a coarse and a fine view of each channel, or the window.",
    ),
    setting("mixup", "Probability of mixup with another window."),
    setting("shift_samples", "Largest shift within the recording, in samples."),
    setting("time_warp", "Largest warp along time."),
    setting("sensor_rate", "Probability of a rotation, and of wrong scales."),
    setting("noise", "Largest noise, as a share of a channel's range."),
    setting("shift", "Largest shift, as a share of a window."),
    setting("mirror", "Axis that points sideways on the body, to reflect.", click.Choice(MIRRORS)),
    setting("rotation_degrees", "Largest rotation of the axes."),
    setting("gain", "Largest error of a sensor's scale."),
    setting("rate_jitter", "Largest error of the sample rate."),
    setting("dropped", "Longest loss of samples, as a share of a window."),
    setting("warp", "Largest warp, as a share of an axis."),
    setting("mask", "Widest mask, as a share of an axis."),
    setting("cutmix", "Probability of CutMix along an axis."),
    setting(
        "class_weights", "Weights of the classes in the loss, larger for rare classes.", click.Choice(CLASS_WEIGHTS)
    ),
    setting(
        "validation",
        "Share of the training subjects that choose the best epoch; 0: train on all and keep the last epoch.",
    ),
    setting("patience", "End a stage after so many epochs without a better validation score; 0: never."),
    setting(
        "labelled_subjects",
        "Training subjects whose labels are used, drawn by the seed; the others are used without labels. 0: all.",
    ),
    setting(
        "unlabelled_share",
        "Share of windows without labels in a step of a distilled model, if there are any; 0: do not use them.",
    ),
    setting(
        "full_scale",
        "Full scales that the model asks of its sensor, as acc=16g,gyro=2000dps,mag=4900uT; auto: what they need.",
        click.STRING,
    ),
    setting("batch_size", "Windows in a step."),
    setting(
        "precision",
        "Arithmetic of training; bfloat16 is for processors and GPUs that support it.",
        click.Choice(PRECISIONS),
    ),
)
_VARIED = (
    setting(
        "distillation",
        "Target of the distillation head: the teacher's class, its probabilities, or labels alone.",
        click.Choice(DISTILLATION_NAMES),
    ),
    setting("teacher_share", "The teacher's share in the distillation head's target."),
    setting("members", "Models that teach, if no teacher is given; their probabilities are averaged.", Names(MEMBERS)),
    setting("temperature", "Temperature of soft distillation."),
    setting("stem", "Stem of DeSepTr: the teacher's, trained further or frozen, or its own.", click.Choice(STEM_NAMES)),
    setting("seed", "Seed of split, weights, order and augmentation."),
)
_OF_AUGMENTATION = (
    "mixup",
    "shift_samples",
    "time_warp",
    "sensor_rate",
    "noise",
    "shift",
    "mirror",
    "rotation_degrees",
    "gain",
    "rate_jitter",
    "dropped",
    "warp",
    "mask",
    "cutmix",
)
TRAINING_GROUPS = {
    "Model": ("model", "stem", "dim", "heads", "depth", "prediction", "quiet_gain", "views", "full_scale"),
    "Distillation": (
        "teacher_epochs",
        "teacher_width",
        "members",
        "distillation",
        "teacher_share",
        "temperature",
        "unlabelled_share",
    ),
    "Training": (
        "student_epochs",
        "validation",
        "patience",
        "class_weights",
        "labelled_subjects",
        "batch_size",
        "precision",
        "seed",
    ),
    "Augmentation": _OF_AUGMENTATION,
}
"""Sections of :func:`training_options` in the help of a command."""
_NOT_OF_LAB = {"model", "stem", "distillation", "teacher_share", "members", "temperature", "seed"}
LAB_GROUPS = {
    heading: tuple(name for name in names if name not in _NOT_OF_LAB) for heading, names in TRAINING_GROUPS.items()
}
"""Sections of :func:`lab_options`."""
_WINDOW = (
    setting("window_s", "Length of a window in seconds."),
    setting("overlap", "Share of a window that the next one repeats."),
)


def training_options(command: Any) -> Any:
    """Add the options of models and training to a command."""
    return _add((*_MODEL, *_TRAINING, *_VARIED), command)


def lab_options(command: Any) -> Any:
    """Add the options of training that the lab does not vary."""
    return _add(_TRAINING, command)


def window_options(command: Any) -> Any:
    """Add the options of windows to a command."""
    return _add(_WINDOW, command)


def _add(options: tuple[Decorator, ...], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command
