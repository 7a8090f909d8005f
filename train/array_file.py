"""Dataclasses of arrays as compressed ``.npz`` files: written whole, and one error for all that can be wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deseptr.contract import ModelError, atomic_path


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
            with np.load(path, allow_pickle=False) as arrays:
                loaded: Self = kind(**{field.name: arrays[field.name] for field in fields(kind)})
        except Exception as error:  # zipfile, zlib and numpy each have their own for a broken archive
            raise ModelError(
                path, found=f"no {cls.WHAT} ({error})", expected=cls.MADE_BY, next_step=cls.REMEDY
            ) from error
        return loaded
