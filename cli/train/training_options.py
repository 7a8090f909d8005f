"""Options that become fields of ``TrainConfig``, shared by the commands that train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from deseptr.train.config import (
    CLASS_WEIGHTS,
    DISTILLATION_NAMES,
    MEMBERS,
    MIRRORS,
    MODEL_NAMES,
    PRECISIONS,
    STEM_NAMES,
    TrainConfig,
)
from deseptr.train.models.registry import BY_MODEL

Decorator = Callable[[Any], Any]


def setting(name: str, kind: click.ParamType[Any], text: str) -> Decorator:
    """Make an option for a field of ``TrainConfig``, with that field's default."""
    flag = "--" + name.replace("_", "-")
    default = getattr(TrainConfig, name)
    shown = "by model" if default is BY_MODEL else True
    return click.option(flag, type=kind, default=default, show_default=shown, help=text)


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


_MODEL = (setting("model", click.Choice(MODEL_NAMES), "Model to train."),)
_TRAINING = (
    setting("teacher_epochs", click.IntRange(1), "Epochs of the teacher."),
    setting("student_epochs", click.IntRange(1), "Epochs of the student, or of a model without a teacher."),
    setting("teacher_width", click.IntRange(1), "Channels of the teacher's first stage; 64 is ResNet-18."),
    setting("dim", click.IntRange(1), "Width of the tokens."),
    setting("heads", click.IntRange(1), "Attention heads."),
    setting("depth", click.IntRange(1), "Pairs of encoder blocks."),
    setting("prediction", click.Choice(["class", "distillation", "mean"]), "Head that gives the logits."),
    setting("quiet_gain", click.FloatRange(0), "Magnification of the second level, for quiet motion; 0: none."),
    click.option(
        "--views/--no-views",
        default=BY_MODEL,
        show_default="by model",
        help="Input: a coarse and a fine view of each channel, or the window.",
    ),
    setting("mixup", click.FloatRange(0, 1), "Augmentation: probability of mixup with another window."),
    setting("shift_samples", click.IntRange(0), "Augmentation: largest shift within the recording, in samples."),
    setting("time_warp", click.FloatRange(0, 0.2, max_open=True), "Augmentation: largest warp along time."),
    setting("sensor_rate", click.FloatRange(0, 1), "Augmentation: probability of a rotation, and of wrong scales."),
    setting("noise", click.FloatRange(0, 1), "Augmentation: largest noise, as a share of a channel's range."),
    setting("shift", click.FloatRange(0, 1), "Augmentation: largest shift, as a share of a window."),
    setting("mirror", click.Choice(MIRRORS), "Augmentation: axis that points sideways on the body, to reflect."),
    setting("rotation_degrees", click.FloatRange(0, 180), "Augmentation: largest rotation of the axes."),
    setting("gain", click.FloatRange(0, 1, max_open=True), "Augmentation: largest error of a sensor's scale."),
    setting("rate_jitter", click.FloatRange(0, 1, max_open=True), "Augmentation: largest error of the sample rate."),
    setting(
        "dropped",
        click.FloatRange(0, 1, max_open=True),
        "Augmentation: longest loss of samples, as a share of a window.",
    ),
    setting("warp", click.FloatRange(0, 0.2, max_open=True), "Augmentation: largest warp, as a share of an axis."),
    setting("mask", click.FloatRange(0, 1), "Augmentation: widest mask, as a share of an axis."),
    setting("cutmix", click.FloatRange(0, 1), "Augmentation: probability of CutMix along an axis."),
    setting(
        "class_weights", click.Choice(CLASS_WEIGHTS), "Weights of the classes in the loss, larger for rare classes."
    ),
    setting(
        "validation",
        click.FloatRange(0, 1, max_open=True),
        "Share of the training subjects that choose the best epoch; 0: train on all and keep the last epoch.",
    ),
    setting(
        "patience", click.IntRange(0), "End a stage after so many epochs without a better validation score; 0: never."
    ),
    setting("batch_size", click.IntRange(1), "Windows in a step."),
    setting(
        "precision",
        click.Choice(PRECISIONS),
        "Arithmetic of training; bfloat16 is for processors and GPUs that support it.",
    ),
)
_VARIED = (
    setting(
        "distillation",
        click.Choice(DISTILLATION_NAMES),
        "Target of the distillation head: the teacher's class, its probabilities, or labels alone.",
    ),
    setting("teacher_share", click.FloatRange(0, 1), "The teacher's share in the distillation head's target."),
    setting("members", Names(MEMBERS), "Models that teach, if no teacher is given; their probabilities are averaged."),
    setting("temperature", click.FloatRange(0, min_open=True), "Temperature of soft distillation."),
    setting("stem", click.Choice(STEM_NAMES), "Stem of DeSepTr: the teacher's, trained further or frozen, or its own."),
    setting("seed", click.IntRange(0), "Seed of split, weights, order and augmentation."),
)
_WINDOW = (
    setting("window_s", click.FloatRange(0, min_open=True), "Length of a window in seconds."),
    setting("overlap", click.FloatRange(0, 1, max_open=True), "Share of a window that the next one repeats."),
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
