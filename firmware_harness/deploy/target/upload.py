"""Upload of a bundle over a connection that may break: received bytes are kept, and the next attempt resumes there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Protocol

from .refusal import RefusedError
from .releases import Releases

PART = "bundle.part"
_CHUNK = 1 << 16
_SILENCE = 90  # seconds without a byte after which the connection counts as lost
_KEPT = 3600.0  # seconds
_PATIENCE = 100  # tenths of a second
_SUM = re.compile(r"[0-9a-f]{64}")


class Stream(Protocol):
    """A buffered stream, as stdin."""

    def read1(self, size: int, /) -> bytes:
        """The available bytes, at most ``size``; none at the end."""


def part_path(releases: Releases, sha256: str) -> Path:
    """File of the upload of the bundle with that SHA-256.

    Raises:
        RefusedError: if it is no SHA-256.
    """
    if not _SUM.fullmatch(sha256):
        raise RefusedError("upload", found=f"{sha256!r:.80}", expected="a SHA-256 as hex", next_step="flash again")
    return releases.incoming / sha256 / PART


def offset(releases: Releases, sha256: str, sleep: Callable[[float], None] = time.sleep) -> int:
    """Number of bytes received so far; other uploads are removed if nothing was received for an hour.

    An upload that was just interrupted may still be writing its last bytes: this waits for it for a moment.
    """
    wanted = part_path(releases, sha256).parent
    for folder in releases.incoming.iterdir():
        if _SUM.fullmatch(folder.name) and folder != wanted and _is_abandoned(folder / PART):
            shutil.rmtree(folder, ignore_errors=True)
    for _ in range(_PATIENCE):
        if not _is_busy(wanted / PART):
            break
        sleep(0.1)
    return (wanted / PART).stat().st_size if (wanted / PART).exists() else 0


def _is_abandoned(path: Path) -> bool:
    """Whether another may remove an upload: it may be whole and about to be installed, or about to be resumed."""
    if _is_busy(path):
        return False
    try:
        # A board without a battery sets its clock after boot, to either side.
        return abs(time.time() - path.stat().st_mtime) > _KEPT
    except FileNotFoundError:
        return True


def _is_busy(path: Path) -> bool:
    try:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def receive(releases: Releases, stream: Stream, sha256: str, size: int, begin: int) -> Path:
    """Append the bytes of ``stream`` from byte ``begin`` on, and verify the whole file.

    Raises:
        RefusedError: if the stream ends early, with the received bytes kept, or the SHA-256 differs, with them removed.
    """
    path = part_path(releases, sha256)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("ab") as file:
        _claim(file, begin)
        try:
            _copy(stream, file, size - begin)
        finally:
            file.flush()
            os.fsync(file.fileno())
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        path.unlink()
        raise RefusedError(
            "upload", found="another SHA-256", expected="the bundle's", next_step="nothing was changed; flash again"
        )
    return path


def _claim(file: IO[bytes], begin: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RefusedError(
            "upload",
            found="another upload of the same bundle",
            expected="one at a time",
            next_step=f"wait for its end; one that hangs is given up after {_SILENCE} s",
        ) from error
    if file.tell() != begin:
        raise RefusedError("upload", found=f"{file.tell()} bytes there", expected=f"{begin}", next_step="flash again")


def _copy(stream: Stream, file: IO[bytes], left: int) -> None:
    before = signal.signal(signal.SIGALRM, _silent)
    try:
        while left:
            signal.alarm(_SILENCE)
            chunk = stream.read1(min(left, _CHUNK))
            if not chunk:
                raise _cut(left)
            file.write(chunk)
            left -= len(chunk)
    except OSError as error:
        raise RefusedError(
            "upload", found=error.strerror, expected="room for the bundle", next_step="free space on the board"
        ) from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _cut(left: int) -> RefusedError:
    return RefusedError(
        "upload",
        found="the connection ended",
        expected=f"{left} more bytes",
        next_step="nothing was changed; flash again to resume",
    )


def _silent(number: int, frame: FrameType | None) -> None:
    raise RefusedError(
        "upload",
        found=f"no byte for {_SILENCE} s",
        expected="more bytes",
        next_step="nothing was changed; flash again to resume",
    )
