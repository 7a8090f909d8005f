"""The service's environment, which may contain passwords: readable only for its owner, and never printed."""

from __future__ import annotations

import re
from pathlib import Path

from .refusal import RefusedError
from .release_settings import ENVIRONMENT, LINK

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^\n]*)")


def check_environment(text: str) -> None:
    """Check that a text has NAME=VALUE lines, comments and empty lines only.

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


def read_environment(release: Path) -> dict[str, str]:
    """The variables of a release, as systemd would set them from plain or quoted values."""
    try:
        lines = (release / LINK / ENVIRONMENT).read_text().splitlines()
    except (OSError, ValueError):
        return {}
    found = (_LINE.fullmatch(line) for line in lines)
    return {match[1]: _unquoted(match[2]) for match in found if match}


def _unquoted(value: str) -> str:
    plain = value.strip()
    return plain[1:-1] if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"" else plain
