"""The ``.tflite`` file: the container with its contract, its graph, and the engines that run it; no TensorFlow.

Importing this package loads nothing: every name is imported when it is first used.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
