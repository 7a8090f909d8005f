"""Dataclasses of arrays as compressed ``.npz`` files: written whole, and one error for all that can be wrong."""

from __future__ import annotations

import math
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, ClassVar, Self

import numpy as np
from numpy.lib import format as npy

from deseptr.contract import ModelError, atomic_path

LARGEST_BYTES = 2**31


class ArrayFile:
    """Base of a dataclass whose fields are all arrays; a subclass says what its file is."""

    WHAT: ClassVar[str]
    MADE_BY: ClassVar[str]
    REMEDY: ClassVar[str]

    def save(self, path: Path) -> None:
        """Write a compressed ``.npz``, whole or not at all."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: if the file is missing or not such a file.
        """
        kind: Any = cls
        try:
            _check_sizes(path)
            with np.load(path, allow_pickle=False) as arrays:
                loaded: Self = kind(**{field.name: arrays[field.name] for field in fields(kind)})
        except Exception as error:  # zipfile, zlib and numpy each have their own for a broken archive
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise ModelError(
                path, found=f"no {cls.WHAT} ({reason})", expected=cls.MADE_BY, next_step=cls.REMEDY
            ) from error
        return loaded


def _check_sizes(path: Path) -> None:
    """Refuse an archive that would unpack to more than a file of ours can hold, before anything is allocated."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > LARGEST_BYTES:
            raise ValueError(f"more than {LARGEST_BYTES:,} bytes unpacked")
        for entry in entries:
            with archive.open(entry) as file:
                _check_header(file, entry)


def _check_header(file: IO[bytes], entry: zipfile.ZipInfo) -> None:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{entry.filename} holds Python objects")
    if math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
        raise ValueError(f"{entry.filename} does not hold an array of shape {shape}")
