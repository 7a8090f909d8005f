"""A number and what it counts, for sentences."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number of things.

    Args:
        count: the number.
        noun: one of them; several words end with the noun that changes.
        plural: several of them, where it is not formed as usual.

    >>> counted(1, "window"), counted(0, "gap"), counted(1200, "class"), counted(2, "activity"), counted(3, "array")
    ('1 window', '0 gaps', '1,200 classes', '2 activities', '3 arrays')
    >>> counted(2, "person", "people")
    '2 people'
    """
    return f"1 {noun}" if count == 1 else f"{count:,} {plural or _several(noun)}"


def _several(noun: str) -> str:
    if noun.endswith(("s", "x", "sh", "tch", "nch")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"
