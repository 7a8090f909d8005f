"""Reading the small text files in which Linux describes the machine."""

from __future__ import annotations

from pathlib import Path

LONGEST = 1 << 20


def text_of(path: Path) -> str:
    """Content of a file without surrounding blanks and zero bytes; empty if it is missing or unreadable."""
    try:
        with path.open("rb") as file:
            return file.read(LONGEST).decode(errors="replace").strip("\0 \t\r\n")
    except (OSError, ValueError):
        return ""


def number_of(path: Path) -> int | None:
    """The integer in a file; None if the file holds anything else."""
    text = text_of(path)
    # int() also accepts underscores and digits of other scripts, and raises for thousands of digits.
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def matching(folder: Path, pattern: str) -> list[Path]:
    """Entries of a folder that match a pattern, sorted by name; none if the folder does not exist."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
