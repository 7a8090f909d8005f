"""Several boards at once, for ``deseptr firmware status``."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deseptr.contract.errors import DeseptrError

from .board_options import ask_board

AT_ONCE = 8


def ask_boards(destinations: Sequence[str], options: dict[str, Any], request: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask each board, at most eight at once; the answers are in the order of the boards.

    Returns:
        ``destination`` and ``status``, or ``error`` of a board that did not answer or was refused.
    """

    def ask(destination: str) -> dict[str, Any]:
        try:
            answer = ask_board({**options, "destination": destination}, request, report=lambda step: None)
        except DeseptrError as error:
            return {"destination": destination, "error": str(error).removeprefix(f"{destination}: ")}
        return {"destination": destination, "status": answer}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, destinations))
