"""Recordings of inertial sensors: readers and writers, the synthetic wearer, windows and splits by subject.

Importing it loads nothing: every name is imported when it is first used.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
