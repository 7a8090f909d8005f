"""Taking in a bundle over a connection that may break: what has come stays, and the next try goes on from there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import signal
from pathlib import Path
from types import FrameType
from typing import IO

from .refusal import RefusedError
from .releases import Releases

PART = "bundle.part"
_CHUNK = 1 << 16
_SILENCE = 90  # seconds without a byte after which the other side is taken for gone
_SUM = re.compile(r"[0-9a-f]{64}")


def part_path(releases: Releases, sha256: str) -> Path:
    """Where the upload of the bundle with that sum is kept.

    Raises:
        RefusedError: if it is no sum.
    """
    if not _SUM.fullmatch(sha256):
        raise RefusedError("upload", found=f"{sha256!r:.80}", expected="a SHA-256 as hex", next_step="flash again")
    return releases.incoming / sha256 / PART


def offset(releases: Releases, sha256: str) -> int:
    """How many bytes of it are there."""
    try:
        return part_path(releases, sha256).stat().st_size
    except OSError:
        return 0


def receive(releases: Releases, stream: IO[bytes], sha256: str, size: int, begin: int) -> Path:
    """Append what ``stream`` brings from byte ``begin`` on, and verify the whole.

    Raises:
        RefusedError: if the stream ends early, which keeps what came, or the sum is another, which drops it.
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
            found="the same bundle on its way already",
            expected="one upload of it",
            next_step=f"wait for its end; one that hangs is given up after {_SILENCE} s",
        ) from error
    if file.tell() != begin:
        raise RefusedError("upload", found=f"{file.tell()} bytes there", expected=f"{begin}", next_step="flash again")


def _copy(stream: IO[bytes], file: IO[bytes], left: int) -> None:
    before = signal.signal(signal.SIGALRM, _silent)
    try:
        while left:
            signal.alarm(_SILENCE)
            chunk = stream.read(min(left, _CHUNK))
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
        next_step="nothing was changed; flash again, which goes on from here",
    )


def _silent(number: int, frame: FrameType | None) -> None:
    raise RefusedError(
        "upload",
        found=f"{_SILENCE} s of silence",
        expected="more bytes",
        next_step="nothing was changed; flash again, which goes on from here",
    )
