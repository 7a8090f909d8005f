"""Values of a graph's input tensor for a window in SI units, in buffers that are allocated once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, ModelContract

from .window_encoder import WindowEncoder


@dataclass(frozen=True, slots=True)
class GraphTensor:
    """An input or output of a loaded graph.

    Args:
        index: of the tensor in the runtime.
        dtype: element type.
        scale: of a quantised tensor.
        zero_point: of a quantised tensor.
    """

    index: int
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    @property
    def quantised(self) -> bool:
        """Whether its elements are integers that represent real numbers."""
        return self.dtype != np.float32

    def to_real(self, values: NDArray[np.float32], temperature: float | None = None) -> None:
        """Turn the elements of this output, in place, into real numbers divided by a model's temperature, if any."""
        if self.quantised:
            values -= self.zero_point
        factor = (self.scale if self.quantised else 1.0) / (temperature or 1.0)
        if factor != 1.0:
            values *= factor


class GraphInput(Protocol):
    """Computes a graph's input from a window, or from the last samples of one."""

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
        length: samples that are encoded at a time; by default the window's.
    """

    def __init__(
        self, contract: ModelContract, dtype: np.dtype[Any], scale: float, zero_point: int, length: int | None = None
    ) -> None:
        limits = np.iinfo(dtype)
        self._smallest, self._largest, self._zero_point = int(limits.min), int(limits.max), zero_point
        self._scale = np.array(contract.input_range, np.float32) * np.float32(scale)
        self._scaled = np.zeros((length or contract.window_length, len(contract.channels)), np.float32)

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

    def __init__(self, contract: ModelContract, length: int | None = None) -> None:
        self._encoder = WindowEncoder(contract, length)

    def values(self, window: NDArray[np.float32]) -> NDArray[np.int8]:
        """Views of ``[history + window_length, channels]``."""
        return self._encoder.encode(window)


class FloatViewInput:
    """The views of the window divided by 127.5, for a graph that takes them in float32."""

    def __init__(self, contract: ModelContract, length: int | None = None) -> None:
        self._encoder = WindowEncoder(contract, length)
        self._scaled = np.zeros((length or contract.window_length, contract.graph_channels), np.float32)

    def values(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Views of ``[history + window_length, channels]``, within ±1."""
        return np.divide(self._encoder.encode(window), _STEPS, out=self._scaled)


def graph_input(contract: ModelContract, tensor: GraphTensor, length: int | None = None) -> GraphInput:
    """What computes the values of a graph's input.

    Args:
        contract: contract of the model.
        tensor: the graph's input; with views in the contract it is float32, or int8 in their scale.
        length: samples that are encoded at a time, after the history; by default the window's.
    """
    if contract.views is not None:
        return ViewInput(contract, length) if tensor.quantised else FloatViewInput(contract, length)
    if tensor.quantised:
        return QuantisedInput(contract, tensor.dtype, tensor.scale, tensor.zero_point, length)
    return PlainInput()


_STEPS = np.float32(INPUT_STEPS)
