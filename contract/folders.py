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

# No other temporary folder has this name, with or without a lock.
_SCRATCH = "deseptr-scratch-"


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


@contextmanager
def scratch_folder(parent: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yield a folder for temporary files that only this user can read, and remove it when the block ends.

    What killed processes of this user left in theirs, as recordings of a wearer, is removed first.

    Args:
        parent: where it is made; the system's folder for temporary files by default.

    Raises:
        SetupError: if none can be made there.
    """
    try:
        where = Path(tempfile.gettempdir() if parent is None else parent)
        _remove_unlocked(where, _SCRATCH)
        folder, lock = _make_locked_in(where, _SCRATCH)
    except OSError as error:
        raise SetupError(
            "temporary files" if parent is None else parent,
            found=error.strerror or error,
            expected="a writable folder",
            next_step="free space, or name another in TMPDIR",
        ) from error
    try:
        yield folder
    finally:
        _discard(folder)
        os.close(lock)


def _discard(temporary: Path) -> None:
    shutil.rmtree(temporary, ignore_errors=True)


def _make_locked(target: Path) -> tuple[Path, int]:
    return _make_locked_in(target.parent, temporary_prefix(target))


def _make_locked_in(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new temporary folder, and the descriptor that holds its lock."""
    while True:
        temporary = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        with suppress(FileNotFoundError):
            descriptor = os.open(temporary, os.O_RDONLY)
            # Another process may have found it before it was locked.
            if try_lock(descriptor) is not False and temporary.exists():
                return temporary, descriptor
            os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    _remove_unlocked(target.parent, temporary_prefix(target))


def _remove_unlocked(parent: Path, prefix: str) -> None:
    """Remove this user's temporary folders whose process has ended; others may write into the same parent."""
    for path in parent.glob(f"{escape(prefix)}*"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.geteuid() and try_lock(descriptor):
                    shutil.rmtree(path)
            finally:
                os.close(descriptor)
