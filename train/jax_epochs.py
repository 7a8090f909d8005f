"""Training on JAX: an epoch is one dispatch, a scan over its steps with the windows on the device.

A step of a small network takes a GPU less time than Python takes to start it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from deseptr.data import Windows

from .epoch_order import one_hot

State = tuple[list[Any], list[Any], list[Any]]
"""Values of the trained variables, of the others, and of the optimizer's."""
EpochFunction = Callable[[State, Any, Any, Any], tuple[State, Any]]


def epoch_function(objective: Any) -> EpochFunction:
    """A pure function of ``(state, windows, targets, order)`` that trains one epoch and returns the state and losses.

    ``order`` is ``[step, batch]``, indices of windows ``[window, time, channels]`` and targets ``[window, classes]``.

    Args:
        objective: a built and compiled :class:`deseptr.train.objective.Objective`.
    """

    def epoch(state: State, windows: Any, targets: Any, order: Any) -> tuple[State, Any]:
        def step(state: State, chosen: Any) -> tuple[State, Any]:
            trained, fixed, optimizer = state
            batch = {"windows": windows[chosen], "targets": targets[chosen]}

            def loss(trained: list[Any]) -> tuple[Any, list[Any]]:
                outputs, updated = objective.stateless_call(trained, fixed, batch, training=True)
                return objective.loss_of(outputs), updated

            (value, fixed), gradient = jax.value_and_grad(loss, has_aux=True)(trained)
            trained, optimizer = objective.optimizer.stateless_apply(optimizer, gradient, trained)
            return (trained, fixed, optimizer), value

        return jax.lax.scan(step, state, order)

    return epoch


def variables_of(objective: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """The variables that :data:`State` has the values of."""
    return objective.trainable_variables, objective.non_trainable_variables, objective.optimizer.variables


def state_of(objective: Any) -> State:
    """The values of an objective's variables, as copies: a dispatch deletes the arrays it is given."""
    trained, fixed, optimizer = ([np.array(v) for v in group] for group in variables_of(objective))
    return trained, fixed, optimizer


def assign_state(objective: Any, state: State) -> None:
    """Set an objective's variables."""
    for group, values in zip(variables_of(objective), state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


class JaxEpochs:
    """Trains an objective epoch by epoch; compiled once.

    Args:
        objective: a built and compiled objective.
        training: its windows, which are copied to the device.
    """

    def __init__(self, objective: Any, training: Windows) -> None:
        self._objective = objective
        self._data = jax.device_put((np.ascontiguousarray(training.signals), one_hot(training)))
        self._epoch = jax.jit(epoch_function(objective), donate_argnums=0)

    def run(self, order: NDArray[np.int64]) -> list[float]:
        """Train on batches ``[step, batch]`` of window indices; the loss of each step."""
        state, losses = self._epoch(state_of(self._objective), *self._data, order.astype(np.int32))
        assign_state(self._objective, state)
        return [float(loss) for loss in np.asarray(losses)]
