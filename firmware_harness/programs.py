"""Checks for programs and packages that the harness runs."""

from __future__ import annotations

import importlib.util
import shutil
import sys

from deseptr.contract import SetupError


def require_program(program: str, *, expected: str, next_step: str) -> None:
    """Check that a program is installed.

    Args:
        program: its name, or its path.
        expected: the program in words.
        next_step: how to install it.

    Raises:
        SetupError: if it is not on the ``PATH``.
    """
    if shutil.which(program) is None:
        raise SetupError(program, found="no such program", expected=expected, next_step=next_step)


def require_pip() -> None:
    """Check that this Python has pip.

    Raises:
        SetupError: if it has not.
    """
    if importlib.util.find_spec("pip") is None:
        raise SetupError(
            "pip", found=f"none in {sys.executable}", expected="pip", next_step="run `python -m ensurepip` with it"
        )
