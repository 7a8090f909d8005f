"""Whether windows fit the input range of a contract, which is fixed when a model is trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract

_SATURATED = 0.01
_USED = 1 / 10


def range_warnings(windows: NDArray[np.float32], contract: ModelContract) -> Iterator[str]:
    """One line for each channel whose values saturate at its range or use a tenth of it at most.

    Either says that the recordings are of another unit or sensor than those the model was trained on.

    Args:
        windows: ``[n, window_length, channels]`` in SI units.
        contract: whose ``input_range`` counts.
    """
    values = np.abs(windows).reshape(-1, windows.shape[-1])
    for name, unit, limit, channel in zip(
        contract.channels, contract.units, contract.input_range, values.T, strict=True
    ):
        share, largest = float((channel > limit).mean()), float(np.quantile(channel, 0.999))
        if share > _SATURATED:
            yield f"{name}: {share:.1%} of the values are beyond the model's {limit:g} {unit} and saturate"
        elif largest < _USED * limit:
            yield f"{name}: values reach {largest:.3g} {unit} of the model's {limit:g}; is the unit the right one?"
