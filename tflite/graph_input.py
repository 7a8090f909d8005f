"""Values of a graph's input tensor for a window in SI units, in buffers that are allocated once."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, ModelContract

from .window_encoder import WindowEncoder


class GraphInput(Protocol):
    """Computes a graph's input from a window."""

    def values(self, window: NDArray[np.float32]) -> NDArray[Any]:
        """Values of the graph's input, in any type that can hold them; valid until the next call."""
        ...


class PlainInput:
    """The window itself, for a graph that takes SI units."""

    def values(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """The window."""
        return window


class QuantisedInput:
    """``window / contract.input_range`` in the tensor's scale, rounded half to even and saturated.

    Args:
        contract: contract of the model.
        dtype: element type of the tensor.
        scale: scale of the tensor.
        zero_point: zero point of the tensor.
    """

    def __init__(self, contract: ModelContract, dtype: np.dtype[Any], scale: float, zero_point: int) -> None:
        limits = np.iinfo(dtype)
        self._smallest, self._largest, self._zero_point = int(limits.min), int(limits.max), zero_point
        self._scale = np.array(contract.input_range, np.float32) * np.float32(scale)
        self._scaled = np.zeros((contract.window_length, len(contract.channels)), np.float32)

    def values(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Integers within the range of the tensor's type, as float32."""
        scaled = self._scaled
        np.divide(window, self._scale, out=scaled)
        np.rint(scaled, out=scaled)
        scaled += self._zero_point
        np.clip(scaled, self._smallest, self._largest, out=scaled)
        return scaled


class ViewInput:
    """The views of the window in int8, for a graph whose int8 input has their scale."""

    def __init__(self, contract: ModelContract) -> None:
        self._encoder = WindowEncoder(contract)

    def values(self, window: NDArray[np.float32]) -> NDArray[np.int8]:
        """Views of ``[history + window_length, channels]``."""
        return self._encoder.encode(window)


class FloatViewInput:
    """The views of the window divided by 127.5, for a graph that takes them in float32."""

    def __init__(self, contract: ModelContract) -> None:
        self._encoder = WindowEncoder(contract)
        self._scaled = np.zeros((contract.window_length, contract.graph_channels), np.float32)

    def values(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Views of ``[history + window_length, channels]``, within ±1."""
        return np.divide(self._encoder.encode(window), _STEPS, out=self._scaled)


_STEPS = np.float32(INPUT_STEPS)
