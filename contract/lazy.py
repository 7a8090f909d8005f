"""The public names of a package, each imported when it is first used, so that ``--help`` does not wait for numpy.

A package lists its names once, in the ``__init__.pyi`` beside its ``__init__.py``: type checkers read that file, and so
does :mod:`lazy_loader` at run time. No name may equal that of a module in the package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lazy_loader

from .moved import moved_name


def lazy_face(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names are listed in its ``__init__.pyi``.

    A name that the package had in an earlier version and that has moved is returned with a :class:`FutureWarning`.


    Args:
        package: its ``__name__``.
        file: its ``__file__``.

    Raises:
        ValueError: if there is no ``__init__.pyi``.
    """
    getattribute, listing, names = lazy_loader.attach_stub(package, file)

    def get(name: str) -> Any:
        return getattribute(name) if name in names else moved_name(package, name)

    return get, listing, names
