"""Numbers that several rooms share."""

from __future__ import annotations

STANDARD_GRAVITY = 9.80665
"""Acceleration of one g in m/s^2 (CGPM 1901)."""

INPUT_STEPS = 127.5
"""Steps of an int8 input in one input range: its 256 values cover -1 to +1."""
