"""The size of the weights that a Keras model declares, known before any of them is allocated."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import suppress
from copy import deepcopy
from math import prod
from typing import Any

import numpy as np

# What a variable takes in a file besides its numbers, at the least.
_LEAST = 64
# Keras' own names of what belongs to a thread: variables that wait for their values, and numbers of default names.
_WAITING, _NUMBERS = "uninitialized_variables", "object_name_uids"


def declares_more(config: dict[str, Any], most: int) -> bool:
    """Whether a model has more weights than ``most`` bytes, by its configuration, without initialising one.

    The model is built in a scope in which variables have a shape and no value. It is given up as soon as there are too
    many. A configuration that Keras refuses declares what was found until then.

    Args:
        config: the model as ``config.json`` of a ``.keras`` file has it.
        most: bytes.
    """
    import keras
    from keras.src.backend.common import global_state
    from keras.src.saving.serialization_lib import ObjectSharingScope

    declared = _Declared(most)
    before = {name: global_state.get_global_attribute(name) for name in (_WAITING, _NUMBERS)}
    state = random.getstate()
    try:
        global_state.set_global_attribute(_WAITING, declared)
        global_state.set_global_attribute(_NUMBERS, defaultdict(int))
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
    return declared.bytes > most


class _Declared(list[Any]):
    """Where Keras puts variables that wait for their values; raises once they are too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.bytes, self._most = 0, most

    def append(self, variable: Any) -> None:
        self.bytes += max(prod(variable.shape) * _item_size(variable.dtype), _LEAST)
        if self.bytes > self._most:
            raise MemoryError("more weights declared than stored")


def _item_size(dtype: str) -> int:
    """Bytes of a number in a file; 1 for types that numpy lacks."""
    try:
        return np.dtype(dtype).itemsize
    except TypeError:
        return 1
