"""Where in a network an operation stands: names of Keras layers, and errors that name the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deseptr.contract import ModelError

from .held import Held
from .program import Layer


class Site:
    """The module that an operation comes from.

    Args:
        layer: the module.
        operation: the operation's name in ATen.
        used: names that are taken in the model; shared by all sites of it.
    """

    def __init__(self, layer: Layer, operation: str, used: set[str]) -> None:
        self._layer, self._operation, self._used = layer, operation, used

    def name(self, suffix: str = "") -> str:
        """A name that is still free, made of the module's; of the operation's in the network itself."""
        wanted = ".".join(part for part in (self._layer.path or self._operation, suffix) if part).replace("/", "_")
        name, count = wanted, 1
        while name in self._used:
            name, count = f"{wanted}_{count}", count + 1
        self._used.add(name)
        return name

    def refuse(self, found: str, instead: str) -> ModelError:
        """The error of an operation that cannot be rewritten."""
        return ModelError(
            self._layer,
            found=f"{self._operation} with {found}",
            expected="an operation that can be rewritten",
            next_step=f"write instead: {instead}",
        )

    def apply(self, layer: Any, tensor: Any, weights: Sequence[Any] = ()) -> Any:
        """Results of a Keras layer with these weights."""
        layer.build(tuple(tensor.shape))
        layer.set_weights([np.asarray(weight, np.float32) for weight in weights])
        return layer(tensor)

    def array(self, value: Held, what: str) -> Any:
        """A weight, which must not depend on the window."""
        if not value.constant:
            raise self.refuse(f"{what} that is computed from the window", f"{what} that is a parameter")
        return value.plain()
