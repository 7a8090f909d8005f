"""What is made once a session, whichever of xdist's workers asks first for it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A worker's own copy of a folder that one of the workers makes for all.

    ``DESEPTR_TESTS_MADE`` names a folder to keep them in across sessions, which only a campaign of mutants wants.

    Args:
        factory: pytest's.
        name: of the folder.
        make: fills the empty folder that it is given.

    Returns:
        The copy; what is done to it no other worker sees.
    """
    base = factory.getbasetemp()
    # Without xdist the folder above belongs to earlier sessions, too.
    of_session = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    shared = Path(os.environ.get("DESEPTR_TESTS_MADE", of_session))
    made = shared / f"once-{name}"
    with (shared / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            begun = factory.mktemp(name) / "begun"
            begun.mkdir()
            make(begun)
            shutil.move(begun, made)
    return Path(shutil.copytree(made, factory.mktemp(name) / name))
