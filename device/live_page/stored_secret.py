"""The secret in the page's address, kept so that an address once opened on a phone stays good."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from deseptr.contract import SetupError, open_input

_SHAPE = re.compile(r"[A-Za-z0-9_-]{22,200}")


def read_or_make_secret(path: Path) -> str:
    """The secret in a file that only its owner can read; made at first.

    Raises:
        SetupError: if the file cannot be read or made, is open to others, or holds something else.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _trouble(path, error.strerror or error) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            made = secrets.token_urlsafe(24)
            file.write(made + "\n")
    except FileExistsError:
        if path.is_symlink() and not path.exists():
            raise _trouble(path, "a link to a file that is not there") from None
        # Another run was faster.
        return read_or_make_secret(path)
    except OSError as error:
        raise _trouble(path, error.strerror or error) from error
    return made


def _read(path: Path) -> str:
    with open_input(path) as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise _trouble(path, "a file that others can read")
        found = file.read(1000).decode(errors="replace").strip()
    if not _SHAPE.fullmatch(found):
        raise _trouble(path, "no secret of 22 letters, digits, - and _ or more")
    return found


def _trouble(path: Path, found: object) -> SetupError:
    return SetupError(
        path,
        found=found,
        expected="a file for the secret of the page that nobody else can read",
        next_step="remove it, or name another with --web-token-file",
    )
