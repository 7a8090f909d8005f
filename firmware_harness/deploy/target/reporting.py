"""Progress messages of the operations on a board."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str], None]
"""Receives one line for each step of an operation."""
