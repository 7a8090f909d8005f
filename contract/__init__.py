"""Definitions shared by all rooms: the model contract, scores, errors and atomic writing.

Importing it loads nothing, not even numpy: every name is imported when it is first used.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
