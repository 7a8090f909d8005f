"""The weights and operations that a Keras model declares, known before any weight is allocated."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import suppress
from copy import deepcopy
from math import prod
from typing import Any, Literal

import numpy as np

# What a variable takes in a file besides its numbers, at the least.
_LEAST = 64
MOST_OPERATIONS = 20_000
"""Layers, and tensors between them: many times those of the largest networks for windows."""
# Keras' own names of what belongs to a thread: variables that wait for their values, and numbers of default names.
_WAITING, _NUMBERS = "uninitialized_variables", "object_name_uids"


def too_many_declared(config: dict[str, Any], most: int) -> Literal["weights", "operations"] | None:
    """What a model has too many of by its configuration: weights, of which none is initialised, or operations.

    The model is built in a scope in which variables have a shape and no value. It is given up as soon as there are too
    many. A configuration that Keras refuses declares what was found until then.

    Args:
        config: the model as ``config.json`` of a ``.keras`` file has it.
        most: bytes of weights.

    Returns:
        None if it has neither more weights nor more than :data:`MOST_OPERATIONS` layers and tensors.
    """
    import keras
    from keras.src.backend.common import global_state
    from keras.src.saving.serialization_lib import ObjectSharingScope

    declared, names = _Declared(most), _Names(int)
    before = {name: global_state.get_global_attribute(name) for name in (_WAITING, _NUMBERS)}
    state = random.getstate()
    try:
        global_state.set_global_attribute(_WAITING, declared)
        global_state.set_global_attribute(_NUMBERS, names)
        # Loading it says what is wrong with it.
        with suppress(Exception), keras.StatelessScope(initialize_variables=False), ObjectSharingScope():
            # Layers may take their parts out of it.
            own = deepcopy({**config, "compile_config": None})
            keras.saving.deserialize_keras_object(own, safe_mode=True)
    finally:
        # Names and default seeds of the model that is loaded next are those that it would have had.
        random.setstate(state)
        for name, value in before.items():
            global_state.set_global_attribute(name, value)
    if names.given > MOST_OPERATIONS:
        return "operations"
    return "weights" if declared.bytes > most else None


class _Declared(list[Any]):
    """Where Keras puts variables that wait for their values; raises once they are too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.bytes, self._most = 0, most

    def append(self, variable: Any) -> None:
        self.bytes += max(prod(variable.shape) * _item_size(variable.dtype), _LEAST)
        if self.bytes > self._most:
            raise MemoryError("more weights declared than stored")


class _Names(defaultdict[str, int]):
    """Where Keras counts the default names of layers and tensors; raises once they are too many.

    Models that call others, which call others, give names without end although their configuration is short.
    """

    given = 0

    def __setitem__(self, name: str, count: int) -> None:
        self.given += 1
        if self.given > MOST_OPERATIONS:
            raise MemoryError("too many operations declared")
        super().__setitem__(name, count)


def _item_size(dtype: str) -> int:
    """Bytes of a number in a file; 1 for types that numpy lacks."""
    try:
        return np.dtype(dtype).itemsize
    except TypeError:
        return 1
