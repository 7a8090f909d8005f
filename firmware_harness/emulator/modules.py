"""Modules of a Debian kernel package, and the order in which they must be loaded.

The package has no ``modules.dep``, which is made on installation; but each module names its own dependencies.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from deseptr.contract import SetupError

from .cpio import CpioEntry

FOLDER = "kernel-modules"
_PATH = re.compile(r"^(usr/)?lib/modules/.*/([^/]+)\.ko(\.xz)?$")
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def module_entries(contents: Callable[[], Iterable[CpioEntry]], wanted: Iterable[str]) -> Iterator[CpioEntry]:
    """Entries of the modules ``wanted`` and their dependencies, named so that they sort in the order of loading.

    Args:
        contents: gives the package's files; called twice, so that not all of them are in memory at once.
        wanted: names of modules; ``-`` and ``_`` are equivalent.

    Raises:
        SetupError: if the package lacks one.
    """
    needs = {name: depends(_unpacked(entry)) for entry in contents() if (name := module_name(entry.path))}
    order = loading_order(map(_plain, wanted), needs)
    found = {name: _unpacked(entry) for entry in contents() if (name := module_name(entry.path)) in order}
    for number, name in enumerate(order):
        yield CpioEntry.file(f"{FOLDER}/{number:03}-{name}.ko", found[name])


def module_name(path: str) -> str:
    """Name of the module at ``path`` of a package; empty if that is no module."""
    match = _PATH.match(path)
    return _plain(match[2]) if match else ""


def depends(module: bytes) -> list[str]:
    """Names of a module's dependencies, from its ``.modinfo`` section."""
    match = _DEPENDS.search(module)
    return [_plain(name) for name in match[1].decode().split(",") if name] if match else []


def loading_order(wanted: Iterable[str], needs: Mapping[str, list[str]]) -> list[str]:
    """The wanted modules with their dependencies, each after its own dependencies.

    Raises:
        SetupError: if there is no such module.
    """
    order: list[str] = []
    for name in wanted:
        if name not in needs:
            raise SetupError(name, found="no such module", expected="one of the kernel's", next_step="check its name")
        if name not in order:
            order += [other for other in loading_order(needs[name], needs) if other not in order]
            order.append(name)
    return order


def _unpacked(entry: CpioEntry) -> bytes:
    return lzma.decompress(entry.data) if entry.path.endswith(".xz") else entry.data


def _plain(name: str) -> str:
    return name.replace("-", "_")
