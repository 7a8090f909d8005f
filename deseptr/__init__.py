"""Labelled IMU recordings in, an int8 activity classifier on a wearable out.

>>> import deseptr
>>> data = deseptr.load("synthetic:subjects=2,seconds=10")
>>> data.subjects
('1', '2')

:func:`load` reads recordings, :func:`fit` trains and leaves a run folder, :class:`Run` and :class:`Model` know what can
be done with it. Importing the package loads nothing: each name is imported when it is first used.
"""

import sys
from typing import Any

from deseptr.contract.lazy import lazy_face
from deseptr.contract.moved import MovedModules

# First, for the path of a package that has moved holds modules that would be imported twice.
sys.meta_path.insert(0, MovedModules())

_attribute, _, __all__ = lazy_face(__name__, __file__)
__all__.append("__version__")


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("deseptr")
    return _attribute(name)
