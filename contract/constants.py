"""Numbers that several rooms share."""

from __future__ import annotations

STANDARD_GRAVITY = 9.80665
"""Acceleration of one g in m/s^2 (CGPM 1901)."""

INPUT_STEPS = 127.5
"""Steps of an int8 input in one input range: its 256 values cover -1 to +1."""

COARSE_COUNT = 0.06
"""Acceleration of a count, m/s^2, from which on the noise of a chip at rest may stay within one.

So it is with the LIS3DH's normal mode at ±4 g and more. While its wearer is still, such a chip gives the same value
again and again.
"""
