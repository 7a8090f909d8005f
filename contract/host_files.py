"""Reading the small text files in which Linux tells about the machine."""

from __future__ import annotations

from pathlib import Path

LONGEST = 1 << 20


def text_of(path: Path) -> str:
    """What a file says, without the blanks and zero bytes around it; empty if there is none or it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(LONGEST).decode(errors="replace").strip("\0 \t\r\n")
    except (OSError, ValueError):
        return ""


def number_of(path: Path) -> int | None:
    """The whole number that a file holds; None if it holds anything else."""
    text = text_of(path)
    # int() also takes underscores and digits of other scripts, and refuses thousands of digits by an exception.
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def matching(folder: Path, pattern: str) -> list[Path]:
    """Entries of a folder that match a pattern, by name; none if there is no such folder."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
