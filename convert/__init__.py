"""Checkpoint in, checked ``.tflite`` with its contract inside out. TensorFlow is loaded in a process of its own."""

from .conversion import Conversion, convert_run
from .parity import Gate
from .recipe import Recipe

__all__ = ["Conversion", "Gate", "Recipe", "convert_run"]
