"""The service's environment file, which may contain passwords: readable only for its owner, and never printed."""

from __future__ import annotations

import re
from pathlib import Path

from .refusal import RefusedError
from .releases import write_durably

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^\n]*)")


def environment_path(prefix: Path) -> Path:
    """Path of the file."""
    return prefix / "etc" / "service.env"


def write_environment(prefix: Path, text: str) -> None:
    """Write NAME=VALUE lines for the service.

    Raises:
        RefusedError: if a line has another form; the message does not contain the line.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#") and not _LINE.fullmatch(line):
            raise RefusedError(
                "environment file",
                found=f"line {number} of another form",
                expected="NAME=VALUE",
                next_step="correct the line",
            )
    path = environment_path(prefix)
    path.parent.mkdir(exist_ok=True)
    write_durably(path, text.encode(), mode=0o600)


def read_environment(prefix: Path) -> dict[str, str]:
    """The variables, as systemd would set them from plain or quoted values."""
    try:
        lines = environment_path(prefix).read_text().splitlines()
    except OSError:
        return {}
    found = (_LINE.fullmatch(line) for line in lines)
    return {match[1]: _unquoted(match[2]) for match in found if match}


def _unquoted(value: str) -> str:
    plain = value.strip()
    return plain[1:-1] if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"" else plain
