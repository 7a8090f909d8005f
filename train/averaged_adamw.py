"""AdamW with a moving average of the weights that is usable from the first epoch on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray


class AveragedAdamW(keras.optimizers.AdamW):
    """AdamW that also keeps a moving average of the weights over a fixed fraction of the steps so far.

    Keras' own average has one momentum for all steps. A momentum that suits the end of a run leaves the average of the
    first epochs close to the initial weights. Here the momentum after step t is αt / (1 + αt): the horizon grows with
    t.

    Args:
        learning_rate: a number or a schedule.
        averaging: α, the horizon of the average as a fraction of the steps so far; 0 keeps the current weights.

    Reference: Shamir and Zhang, Stochastic Gradient Descent for Non-smooth Optimization, ICML 2013:
    polynomial-decay averaging with η = 1/α - 1.
    """

    def __init__(self, learning_rate: Any, averaging: float, **kwargs: Any) -> None:
        super().__init__(learning_rate, use_ema=True, **kwargs)
        self.averaging = averaging

    @property
    def averages(self) -> list[NDArray[np.float32]]:
        """Average of each weight, as copies: JAX deletes the arrays of a model that predicts."""
        return [np.array(average) for average in self._model_variables_moving_average]

    def _apply_weight_decay(self, variables: Any) -> None:
        """Keras' hook, with the schedule evaluated once a step; Keras puts it into the graph for every variable."""
        rate = ops.convert_to_tensor(self.learning_rate)
        for variable in filter(self._use_weight_decay, variables):
            decay, step = (ops.cast(value, variable.dtype) for value in (self.weight_decay, rate))
            variable.assign(variable - variable * decay * step)

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        """Keras calls this on every backend after a step and before the step is counted."""
        horizon = self.averaging * ops.cast(self.iterations, "float32")
        momentum = horizon / (1.0 + horizon)
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign(momentum * average + (1.0 - momentum) * variable)
