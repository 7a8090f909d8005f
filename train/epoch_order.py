"""Which windows each step of an epoch learns from, labelled and unlabelled ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deseptr.data import Windows

if TYPE_CHECKING:
    from .training_loop import Stage


def steps_of(windows: int, batch_size: int) -> int:
    """Steps of an epoch over a number of windows; an incomplete batch at its end is left out."""
    return max(1, windows // batch_size)


def epoch_order(windows: Windows, stage: Stage, epoch: int, steps: int) -> NDArray[np.int64]:
    """Window indices ``[step, batch]`` of an epoch, which depend on seed, epoch and the number of windows only.

    A step has its labelled windows first, then the stage's share of unlabelled ones, so that all but two windows of a
    step are mixed with one of their kind. Each kind is gone through in a random order, and in another one when it is
    exhausted.

    Args:
        windows: labelled windows, then unlabelled ones, if any.
        stage: settings.
        epoch: number of the epoch, from 0.
        steps: number of steps.
    """
    unlabelled = int((windows.labels < 0).sum())
    labelled = len(windows) - unlabelled
    share = min(round(stage.unlabelled_share * stage.batch_size), stage.batch_size - 1) if unlabelled else 0
    order = _passes(labelled, stage.batch_size - share, steps, stage, (epoch,))
    if not share:
        return order
    others = _passes(unlabelled, share, steps, stage, (epoch, 1))
    return np.concatenate([order, labelled + others], axis=1)


def one_hot(windows: Windows, chosen: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float32]:
    """Targets ``[window, class]`` of windows, or of some of them; all zeros if a window is unlabelled."""
    labels = windows.labels[chosen]
    targets = np.eye(len(windows.label_names), dtype=np.float32)[labels]
    targets[labels < 0] = 0.0
    return targets


def _passes(count: int, size: int, steps: int, stage: Stage, stream: tuple[int, ...]) -> NDArray[np.int64]:
    """Indices ``[step, size]`` below ``count``, in as many random orders as the steps need."""
    size = min(size, count)
    rows: list[NDArray[np.int64]] = []
    epoch, *kind = stream
    while len(rows) < steps:
        order = np.random.default_rng((stage.seed, epoch, *kind)).permutation(count)
        rows += [order[start : start + size] for start in range(0, count - size + 1, size)]
        epoch += stage.epochs
    return np.stack(rows[:steps])
