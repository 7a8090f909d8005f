"""Dataclasses of arrays stored as compressed ``.npz`` files, written atomically and checked when read."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deseptr.contract import ModelError, atomic_path, read_npz_arrays


class ArrayFile:
    """Base class of dataclasses whose fields are all arrays; class variables describe the file in error messages.

    A field with a default factory is one that files of earlier versions lack.
    """

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
            arrays = read_npz_arrays(path)
            known = [each for each in fields(kind) if each.name in arrays or each.default_factory is MISSING]
            loaded: Self = kind(**{field.name: arrays[field.name] for field in known})
        except Exception as error:  # the fields' checks raise different exceptions
            raise ModelError(
                path, found=f"no {cls.KIND} ({error})", expected=cls.EXPECTED, next_step=cls.NEXT_STEP
            ) from error
        return loaded
