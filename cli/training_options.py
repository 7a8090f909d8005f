"""Options that become fields of ``TrainConfig``, shared by the commands that train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from deseptr.train.config import CLASS_WEIGHTS, MODEL_NAMES, TrainConfig

Decorator = Callable[[Any], Any]


def setting(name: str, kind: click.ParamType[Any], text: str) -> Decorator:
    """An option for a field of ``TrainConfig``, with that field's default."""
    flag = "--" + name.replace("_", "-")
    return click.option(flag, type=kind, default=getattr(TrainConfig, name), show_default=True, help=text)


_TRAINING = (
    setting("model", click.Choice(MODEL_NAMES), "What to train."),
    setting("teacher_epochs", click.IntRange(1), "Passes over the data for the teacher."),
    setting("student_epochs", click.IntRange(1), "Passes over the data for the student or a lone model."),
    setting("teacher_width", click.IntRange(1), "Channels of the teacher's first stage; 64 is ResNet-18."),
    setting("dim", click.IntRange(1), "Width of the tokens."),
    setting("heads", click.IntRange(1), "Attention heads."),
    setting("depth", click.IntRange(1), "Pairs of encoder blocks."),
    setting("distillation", click.Choice(["hard", "soft"]), "The teacher's class or its probabilities."),
    setting("temperature", click.FloatRange(0, min_open=True), "Of soft distillation."),
    setting("prediction", click.Choice(["class", "distillation", "mean"]), "Which head speaks."),
    setting("rotation_degrees", click.FloatRange(0, 180), "Largest rotation of the axes in augmentation."),
    setting("class_weights", click.Choice(CLASS_WEIGHTS), "Let examples of rare classes count more in the loss."),
    setting("patience", click.IntRange(0), "Epochs without a rise in validation that end a stage; 0 never."),
    setting("batch_size", click.IntRange(1), "Windows in a step."),
    setting("seed", click.IntRange(0), "Of split, weights, order and augmentation."),
)
_WINDOW = (
    setting("window_s", click.FloatRange(0, min_open=True), "Length of a window in seconds."),
    setting("overlap", click.FloatRange(0, 1, max_open=True), "Share of a window that the next repeats."),
)


def training_options(command: Any) -> Any:
    """Add the options of models and training to a command."""
    return _add(_TRAINING, command)


def window_options(command: Any) -> Any:
    """Add the options of windows to a command."""
    return _add(_WINDOW, command)


def _add(options: tuple[Decorator, ...], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command
