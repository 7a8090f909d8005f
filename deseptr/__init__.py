"""Labelled IMU recordings in, an int8 activity classifier on a wearable out.

>>> import deseptr
>>> data = deseptr.load("synthetic:subjects=2,seconds=10")
>>> data.subjects
('s01', 's02')

Importing the package loads nothing: each name is imported when it is first used.
"""

import sys

from deseptr.contract.lazy import lazy_face
from deseptr.contract.moved import MovedModules

# First, for the path of a package that has moved holds modules that would be imported twice.
sys.meta_path.insert(0, MovedModules())

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
