"""Checkpoint in, full int8 ``.tflite`` with its contract inside out. TensorFlow is loaded in a process of its own."""

from .conversion import Conversion, convert_run

__all__ = ["Conversion", "convert_run"]
