"""The fixtures that take long, made once by the unchanged code and anew when the code that makes them has changed.

A fixture of older sources fails tests that pass otherwise: their controls would then fail, too, and mutants survive.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import forked
from draw import ROOT

FIXTURES = "tests/mutants/made_fixtures.py"
# Training and conversion, the rooms below them, and what defines the fixtures.
MAKERS = (
    *("contract", "data", "tflite", "train", "convert"),
    *("tests/conftest.py", "tests/once.py", "tests/op_by_op.py", "tests/reporters.py", FIXTURES),
)
STAMP = "sources.sha256"


def make_fixtures() -> None:
    """Have the fixtures of the sources as they are."""
    forked.WORK.mkdir(exist_ok=True)
    with (forked.WORK / "made.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keep_current(forked.MADE, digest_of(ROOT / each for each in MAKERS), _make)


def keep_current(folder: Path, digest: str, make: Callable[[], None]) -> None:
    """Make a folder's content, unless it was made whole from sources of this digest.

    Args:
        folder: emptied before its content is made.
        digest: of the sources; kept in the folder once its content is whole.
        make: fills the folder; what it raises leaves no folder.
    """
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        make()
    except BaseException:
        shutil.rmtree(folder)
        raise
    stamp.write_text(digest)


def digest_of(sources: Iterable[Path]) -> str:
    """SHA-256 of names and contents of Python files, and of those in folders."""
    found = hashlib.sha256()
    for source in sources:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else (source,):
            content = path.read_bytes()
            found.update(f"{path.relative_to(source.parent)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _make() -> None:
    made = forked.run([FIXTURES], 60.0)
    if made.code != 0:
        sys.exit(f"the fixtures cannot be made:\n{made.output[-2000:]}")
