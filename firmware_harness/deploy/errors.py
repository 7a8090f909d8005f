"""Errors between a workstation and a board."""

from __future__ import annotations

from deseptr.contract import DeseptrError

from .target.refusal import RefusedError


class FlashError(DeseptrError):
    """A board cannot be reached, or refuses a request; its service keeps running."""


def as_error(refusal: RefusedError) -> FlashError:
    """A refusal of the board's code as an error of the workstation."""
    return FlashError(refusal.thing, found=refusal.found, expected=refusal.expected, next_step=refusal.next_step)
