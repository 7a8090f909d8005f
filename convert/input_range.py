"""Checks windows against the input range of a contract, which is fixed when a model is trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract

_SATURATED = 0.01
_USED = 1 / 10


def range_warnings(windows: NDArray[np.float32], contract: ModelContract) -> Iterator[str]:
    """One line for each channel whose values saturate at its range or use at most a tenth of it.

    Both indicate recordings in another unit or from another sensor than the training data.

    Args:
        windows: ``[n, window_length, channels]`` in SI units.
        contract: contract with the ``input_range``.
    """
    values = np.abs(windows).reshape(-1, windows.shape[-1])
    for name, unit, limit, channel in zip(
        contract.channels, contract.units, contract.input_range, values.T, strict=True
    ):
        share, largest = float((channel > limit).mean()), float(np.quantile(channel, 0.999))
        if share > _SATURATED:
            yield f"{name}: {share:.1%} of the values are beyond the model's {limit:g} {unit} and saturate"
        elif largest < _USED * limit:
            yield f"{name}: values reach only {largest:.3g} {unit} of the model's {limit:g}; check the unit"
