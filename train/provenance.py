"""Which source made a result."""

from __future__ import annotations

import subprocess
from pathlib import Path


def source_commit() -> str | None:
    """The commit of the checkout that this package runs from, "+" after it if files differ from it; None outside one.

    An installed wheel inside somebody's repository is not theirs: the checkout must track this very file.
    """
    folder, name = Path(__file__).parent, Path(__file__).name
    if not _git(folder, "ls-files", "--error-unmatch", name):
        return None
    commit = _git(folder, "rev-parse", "--short=12", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
