"""Measures of a window besides its label: the distance of its embedding, and gravity while the sensor is still."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SENSORS, ModelContract

STILL = 0.3
"""Standard deviation of the acceleration below which its mean is gravity, m/s^2: somebody sits or lies, or nobody
wears the sensor."""


class WindowMeasures:
    """Measures of the windows of a model's stream.

    Args:
        contract: the model's.
    """

    def __init__(self, contract: ModelContract) -> None:
        names = [name for name in SENSORS["acc"].channels if name in contract.channels]
        self._columns = [contract.channels.index(name) for name in names] if len(names) == 3 else None
        embedding = None if contract.drift is None else contract.drift.embedding
        self._means = None if embedding is None else embedding.table
        if embedding is not None:
            self._over = np.float32(1) / np.asarray(embedding.scale, np.float32)

    @property
    def has_distance(self) -> bool:
        """Whether the contract has what an embedding's distance is from."""
        return self._means is not None

    def distance(self, embedding: NDArray[np.float32] | None, label: int) -> float | None:
        """Distance of an embedding ``[embedding_width]`` from the mean of its class, in deviations within a class.

        Args:
            embedding: of the window.
            label: index of its class; None is returned for one that the model itself lacks.
        """
        if self._means is None or embedding is None or label >= len(self._means):
            return None
        away = embedding * self._over - self._means[label]
        return math.sqrt(float(away @ away) / len(away))

    def gravity(self, samples: NDArray[np.float32]) -> float | None:
        """Mean acceleration of samples ``[time, channel]``, m/s^2; None if the sensor moved or has no accelerometer."""
        if self._columns is None:
            return None
        axes = samples[:, self._columns]
        mean = axes.mean(axis=0)
        square = float(mean @ mean)
        if float(np.vdot(axes, axes)) / len(axes) - square > STILL**2:
            return None
        return math.sqrt(square)
