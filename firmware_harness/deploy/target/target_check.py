"""Whether a bundle's wheels are for this board."""

from __future__ import annotations

from typing import Any

from .manifest import Manifest
from .refusal import RefusedError


def check_target(manifest: Manifest, board: dict[str, Any]) -> None:
    """Check that a bundle's wheels are for this kind of board.

    Args:
        manifest: the bundle's.
        board: facts about the board, from its probe.

    Raises:
        RefusedError: if they were not.
    """
    python = "{}.{}".format(*board["python"])
    found = f"{board['machine']}, Python {python}, glibc {board['glibc']}"
    target = manifest.target
    same = (target.machine, target.python) == (board["machine"], python)
    if not same or not board["glibc"] or _version(board["glibc"]) < _version(target.glibc):
        raise RefusedError(
            f"bundle {manifest.release}",
            found=f"wheels for {target}",
            expected=found,
            next_step="nothing was changed; make the bundle for this board",
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())
