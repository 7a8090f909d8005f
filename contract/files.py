"""Atomic writing: readers see the old file or the complete new one, never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from .errors import SetupError

try:
    import fcntl
except ImportError:  # not POSIX
    fcntl = None  # type: ignore[assignment]


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it replaces ``path`` when the block ends without an error.

    The temporary name keeps the suffix, from which several libraries choose a file format. What a killed process left
    of an earlier attempt is removed: its lock ended with it.

    Raises:
        SetupError: if the folder cannot be created or the file cannot be written.
    """
    with replacing(Path(path), _remove_abandoned, _make_locked, _discard, permissions=0o666) as temporary:
        yield temporary


@contextmanager
def replacing(
    target: Path,
    remove_abandoned: Callable[[Path], None],
    make_locked: Callable[[Path], tuple[Path, int]],
    discard: Callable[[Path], None],
    *,
    permissions: int,
) -> Iterator[Path]:
    """Yield a locked temporary output beside ``target``; it becomes ``target`` when the block ends without an error.

    Args:
        target: the file or folder to write.
        remove_abandoned: removes what killed processes left of the target.
        make_locked: makes the temporary output and locks it; returns it and the descriptor that holds the lock.
        discard: removes the temporary output, if it is still there.
        permissions: of the target, before the umask takes some away.

    Raises:
        SetupError: if the folder cannot be created or the output cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target)
        temporary, lock = make_locked(target)
    except OSError as error:
        raise SetupError(
            target, found=error.strerror, expected="a writable folder", next_step="choose another output path"
        ) from error
    try:
        yield temporary
        temporary.chmod(permissions & ~current_umask())
        temporary.replace(target)
    except OSError as error:
        raise SetupError(
            target,
            found=error.strerror or error,
            expected="room and permission to write",
            next_step="free space or choose another output path",
        ) from error
    finally:
        discard(temporary)
        os.close(lock)


def _discard(temporary: Path) -> None:
    temporary.unlink(missing_ok=True)


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write ``content`` (text as UTF-8) to ``path`` atomically."""
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def check_replaceable(
    path: str | os.PathLike[str], start: bytes | tuple[bytes, ...], what: str, option: str, *, offset: int = 0
) -> None:
    """Refuse to replace a file that does not begin as this package's own output does.

    Args:
        path: where output is to be written; a missing or empty file is no obstacle.
        start: first bytes of such output, from ``offset`` on; of several kinds if it has them.
        what: name of such output, for the message.
        option: the option that names the path.
        offset: bytes before ``start`` that differ from output to output.

    Raises:
        SetupError: if something else is there.
    """
    target, starts = Path(path), (start,) if isinstance(start, bytes) else start
    try:
        if not target.exists():
            return
        if target.is_file():
            with target.open("rb") as file:
                found = file.read(offset + max(map(len, starts)))
            if not found or found[offset:].startswith(starts):
                return
    except OSError as error:
        raise SetupError(
            target, found=error.strerror or error, expected="a readable file", next_step=f"choose another {option}"
        ) from error
    raise SetupError(
        target,
        found="something else, which would be lost",
        expected=f"{what}, or no file",
        next_step=f"choose another {option}",
    )


def _make_locked(target: Path) -> tuple[Path, int]:
    """A new temporary file, and the descriptor that holds its lock."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=temporary_prefix(target), suffix=target.suffix)
        temporary = Path(name)
        # Another process may have found it before it was locked.
        if try_lock(descriptor) is not False and temporary.exists():
            return temporary, descriptor
        os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    for path in target.parent.glob(f"{escape(temporary_prefix(target))}*{escape(target.suffix)}"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            if try_lock(descriptor):
                path.unlink()
            os.close(descriptor)


def temporary_prefix(target: Path) -> str:
    """Begin of the names of temporary files of a target, which no other program uses."""
    return f".{target.stem}.deseptr-"


def try_lock(descriptor: int) -> bool | None:
    """Lock a file until its descriptor is closed; False if another has it locked, None if there are no locks here."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def current_umask() -> int:
    """The permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
