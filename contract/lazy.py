"""Attributes of a package that are imported when they are first asked for (PEP 562): help must not wait for numpy.

A package's ``__init__.py`` imports its names under ``TYPE_CHECKING``, for the type checkers, and says here in which
module each is; a test holds the two together. No name may be that of a module beside it: whoever imports the module
sets the package's attribute to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_attributes(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its ``__name__``.
        names: the names that each of its modules has to give, with blanks between them, by the module's name.
    """
    places = {name: module for module, told in names.items() for name in told.split()}

    def getattribute(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{places[name]}"), name)
        # From now on it is an attribute like any other.
        setattr(sys.modules[package], name, value)
        return value

    return getattribute, lambda: sorted({*vars(sys.modules[package]), *places})
