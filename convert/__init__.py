"""Conversion: a checkpoint in, a verified ``.tflite`` with its contract inside out. TensorFlow has its own process.

Importing this package loads nothing: every name is imported when it is first used.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
