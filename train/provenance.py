"""Source commit and package versions that produced a result."""

from __future__ import annotations

import importlib.metadata
import subprocess
from collections.abc import Iterable
from pathlib import Path

_DECIDE = ("contract", "data", "tflite", "train", "convert", "evaluate")


def source_commit() -> str | None:
    """Git commit of the checkout that this package runs from; None outside a checkout.

    A trailing "+" means that files of the folders that influence results have uncommitted changes. A wheel installed
    inside another repository is no checkout: the repository must track this very file.
    """
    file = Path(__file__).resolve()
    root = file.parents[1]
    if not _git(root, "ls-files", "--error-unmatch", str(file)):
        return None
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", *_DECIDE)
    return f"{commit}+" if changed else commit


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that are installed, out of ``names``."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except OSError:
        return ""
    # Names of files are bytes.
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
