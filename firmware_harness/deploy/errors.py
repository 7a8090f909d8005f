"""What may go wrong between a workstation and a board."""

from __future__ import annotations

from deseptr.contract import DeseptrError

from .target.refusal import RefusedError


class FlashError(DeseptrError):
    """A board cannot be reached, or refuses what it was asked; what ran there runs on."""


def as_error(refusal: RefusedError) -> FlashError:
    """A refusal of the shared code as an error of this side."""
    return FlashError(refusal.thing, found=refusal.found, expected=refusal.expected, next_step=refusal.next_step)
