"""Writing a folder of files whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from .errors import SetupError
from .files import replacing, temporary_prefix, try_lock


def check_new_folder(path: str | os.PathLike[str], option: str = "output path") -> None:
    """Refuse a folder for output that is there already and has something in it, or a file in its place.

    Args:
        path: where a folder is to be written.
        option: the option that names the path.

    Raises:
        SetupError: if it is there.
    """
    target = Path(path)
    try:
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            return
        found = "a folder with files in it" if target.is_dir() else "a file"
    except OSError as error:
        found = error.strerror or str(error)
    raise SetupError(
        target, found=found, expected="no such folder, or an empty one", next_step=f"choose another {option}"
    )


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; it becomes ``path`` when the block ends without an error.

    What a killed process left of an earlier attempt is removed: its lock ended with it.

    Raises:
        SetupError: as :func:`check_new_folder`, and if the folder or a file in it cannot be written.
    """
    target = Path(path)
    check_new_folder(target)
    # An empty folder is replaced; one that got a file meanwhile is not.
    with replacing(target, _remove_abandoned, _make_locked, _discard, permissions=0o777) as temporary:
        yield temporary


def _discard(temporary: Path) -> None:
    shutil.rmtree(temporary, ignore_errors=True)


def _make_locked(target: Path) -> tuple[Path, int]:
    """A new temporary folder, and the descriptor that holds its lock."""
    while True:
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=temporary_prefix(target)))
        with suppress(FileNotFoundError):
            descriptor = os.open(temporary, os.O_RDONLY)
            # Another process may have found it before it was locked.
            if try_lock(descriptor) is not False and temporary.exists():
                return temporary, descriptor
            os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    for path in target.parent.glob(f"{escape(temporary_prefix(target))}*"):
        if not path.is_dir():
            continue
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if try_lock(descriptor):
                    shutil.rmtree(path)
            finally:
                os.close(descriptor)
