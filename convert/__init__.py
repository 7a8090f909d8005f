"""Checkpoint in, checked ``.tflite`` with its contract inside out. TensorFlow is loaded in a process of its own.

Importing it loads nothing: every name is imported when it is first used.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
