"""Reading arrays of ``.npz`` files without pickles, and without allocating more than the file declares.

``numpy.load`` allocates what the header of an array asks for, and raises whatever zip, deflate, tokenizer or parser
meet in a broken file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .zip_reader import LARGEST, ArchiveError, ZipReader

_SUFFIX = ".npy"
_MOST_DIMENSIONS = 32


def read_npz_arrays(
    source: Path | bytes, names: Sequence[str] | None = None, *, largest: int = LARGEST
) -> dict[str, NDArray[Any]]:
    """Arrays of a ``.npz`` file by name, in the archive's order.

    Args:
        source: the file, or the content of one.
        names: the arrays to read, if they are there; None for all.
        largest: number of bytes that may be unpacked, see :class:`.ZipReader`.

    Raises:
        ArchiveError: if it is no such file, an array is broken or holds Python objects, or more than is allowed.
    """
    with ZipReader(source, largest) as archive:
        found = {name.removesuffix(_SUFFIX): name for name in archive.names() if name.endswith(_SUFFIX)}
        wanted = {name: member for name, member in found.items() if names is None or name in names}
        return {name: _read(archive, member) for name, member in wanted.items()}


def _read(archive: ZipReader, member: str) -> NDArray[Any]:
    with archive.open(member) as file:
        shape, fortran_order, dtype = _header(file, member)
        size = math.prod(shape) * dtype.itemsize
        if size > archive.size(member) or not dtype.itemsize:
            raise ArchiveError(f"{member} does not hold an array of shape {shape}")
        content = bytearray(size)
        # The end of the member is also where its checksum is compared.
        if file.readinto(content) != size or file.read(1):  # type: ignore[attr-defined]
            raise ArchiveError(f"{member} does not hold an array of shape {shape}")
    try:
        flat = np.frombuffer(content, dtype)
        return flat.reshape(shape[::-1]).transpose() if fortran_order else flat.reshape(shape)
    except ValueError as error:
        raise ArchiveError(f"{member}: {error}") from error


def _header(file: BinaryIO, member: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read(file)
    except ArchiveError:
        raise
    except Exception as error:  # numpy, ast and tokenize raise different exceptions for a broken header
        raise ArchiveError(f"{member} has a broken header") from error
    if dtype.hasobject:
        raise ArchiveError(f"{member} holds Python objects")
    if len(shape) > _MOST_DIMENSIONS or any(length < 0 for length in shape):
        raise ArchiveError(f"{member} has a broken shape")
    return shape, fortran_order, dtype
