"""Dataclasses of arrays stored as compressed ``.npz`` files, written atomically and checked when read."""

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
    """Base class of dataclasses whose fields are all arrays; class variables describe the file in error messages."""

    KIND: ClassVar[str]
    EXPECTED: ClassVar[str]
    NEXT_STEP: ClassVar[str]

    def save(self, path: Path) -> None:
        """Write a compressed ``.npz`` file atomically."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that :meth:`save` wrote.

        Raises:
                ModelError: if the file is missing or has other content.
        """
        kind: Any = cls
        try:
            _check_sizes(path)
            with np.load(path, allow_pickle=False) as arrays:
                loaded: Self = kind(**{field.name: arrays[field.name] for field in fields(kind)})
        except Exception as error:  # zipfile, zlib and numpy raise different exceptions for a broken archive
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise ModelError(
                path, found=f"no {cls.KIND} ({reason})", expected=cls.EXPECTED, next_step=cls.NEXT_STEP
            ) from error
        return loaded


def _check_sizes(path: Path) -> None:
    """Refuse an archive whose unpacked size is above the limit, before any memory is allocated."""
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
