"""Options that become fields of ``TrainConfig``, shared by the commands that train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from deseptr.train.config import (
    CLASS_WEIGHTS,
    DISTILLATION_NAMES,
    MIRRORS,
    MODEL_NAMES,
    PRECISIONS,
    STEM_NAMES,
    TrainConfig,
)

Decorator = Callable[[Any], Any]


def setting(name: str, kind: click.ParamType[Any], text: str) -> Decorator:
    """An option for a field of ``TrainConfig``, with that field's default."""
    flag = "--" + name.replace("_", "-")
    return click.option(flag, type=kind, default=getattr(TrainConfig, name), show_default=True, help=text)


_MODEL = (setting("model", click.Choice(MODEL_NAMES), "What to train."),)
_TRAINING = (
    setting("teacher_epochs", click.IntRange(1), "Passes over the data for the teacher."),
    setting("student_epochs", click.IntRange(1), "Passes over the data for the student or a lone model."),
    setting("teacher_width", click.IntRange(1), "Channels of the teacher's first stage; 64 is ResNet-18."),
    setting("dim", click.IntRange(1), "Width of the tokens."),
    setting("heads", click.IntRange(1), "Attention heads."),
    setting("depth", click.IntRange(1), "Pairs of encoder blocks."),
    setting("prediction", click.Choice(["class", "distillation", "mean"]), "Which head speaks."),
    setting("quiet_gain", click.FloatRange(0), "Magnification of the second level, for quiet motion; 0: none."),
    setting("noise", click.FloatRange(0, 1), "Augmentation: largest noise over a channel's range."),
    setting("shift", click.FloatRange(0, 1), "Augmentation: largest shift over a window's length."),
    setting("mirror", click.Choice(MIRRORS), "Augmentation: axis that points sideways on the body, to reflect."),
    setting("rotation_degrees", click.FloatRange(0, 180), "Augmentation: largest rotation of the axes."),
    setting("gain", click.FloatRange(0, 1, max_open=True), "Augmentation: largest error of a sensor's scale."),
    setting("rate_jitter", click.FloatRange(0, 1, max_open=True), "Augmentation: largest error of the sample rate."),
    setting("dropped", click.FloatRange(0, 1, max_open=True), "Augmentation: longest loss over a window's length."),
    setting("warp", click.FloatRange(0, 0.2, max_open=True), "Augmentation: largest warp over an axis."),
    setting("mask", click.FloatRange(0, 1), "Augmentation: widest mask over an axis."),
    setting("cutmix", click.FloatRange(0, 1), "Augmentation: probability of CutMix along an axis."),
    setting("class_weights", click.Choice(CLASS_WEIGHTS), "Let examples of rare classes count more in the loss."),
    setting(
        "validation",
        click.FloatRange(0, 1, max_open=True),
        "Share of the training subjects that choose the best epoch; 0 trains on all and keeps the last.",
    ),
    setting("patience", click.IntRange(0), "Epochs without a rise in validation that end a stage; 0 never."),
    setting("batch_size", click.IntRange(1), "Windows in a step."),
    setting(
        "precision",
        click.Choice(PRECISIONS),
        "What a network computes in while it is trained; bfloat16 where the processor or GPU has bfloat16.",
    ),
)
_VARIED = (
    setting(
        "distillation", click.Choice(DISTILLATION_NAMES), "The teacher's class, its probabilities, or labels alone."
    ),
    setting("temperature", click.FloatRange(0, min_open=True), "Of soft distillation."),
    setting("stem", click.Choice(STEM_NAMES), "DeSepTr's: the teacher's, trained on or frozen, or its own."),
    setting("seed", click.IntRange(0), "Of split, weights, order and augmentation."),
)
_WINDOW = (
    setting("window_s", click.FloatRange(0, min_open=True), "Length of a window in seconds."),
    setting("overlap", click.FloatRange(0, 1, max_open=True), "Share of a window that the next repeats."),
)


def training_options(command: Any) -> Any:
    """Add the options of models and training to a command."""
    return _add((*_MODEL, *_TRAINING, *_VARIED), command)


def lab_options(command: Any) -> Any:
    """Add the options of training that no cell of the lab varies."""
    return _add(_TRAINING, command)


def window_options(command: Any) -> Any:
    """Add the options of windows to a command."""
    return _add(_WINDOW, command)


def _add(options: tuple[Decorator, ...], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command
