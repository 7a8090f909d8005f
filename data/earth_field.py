"""The earth's magnetic field as a magnetometer on a body measures it: the world's vector, turned into the body's axes.

World axes are those of :mod:`.rigid_body`, z up. The field dips into the ground in the northern hemisphere and out of
it in the southern one (Titterton and Weston, "Strapdown Inertial Navigation Technology", chapter 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EarthField:
    """A uniform field.

    Args:
        strength_ut: magnitude in microtesla, 22 to 67 on the earth.
        inclination_deg: angle into the ground; negative in the southern hemisphere.
        north_deg: direction of its horizontal part, left turn from world x.

    >>> EarthField(50.0, 90.0).vector().round(6).tolist()
    [0.0, 0.0, -50.0]
    """

    strength_ut: float = 49.0
    inclination_deg: float = 66.0
    north_deg: float = 0.0

    def vector(self) -> NDArray[np.float64]:
        """The field ``[3]`` in world axes, microtesla."""
        dip, north = np.radians(self.inclination_deg), np.radians(self.north_deg)
        across = np.cos(dip)
        return self.strength_ut * np.array([across * np.cos(north), across * np.sin(north), -np.sin(dip)])
