import shutil
import subprocess
from pathlib import Path

import pytest

from deseptr.train import provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "train" / "provenance.py"
    copy.parent.mkdir()
    shutil.copy(provenance.__file__, copy)
    monkeypatch.setattr(provenance, "__file__", str(copy))
    return copy


def test_outside_a_checkout_there_is_none(module: Path):
    assert provenance.source_commit() is None


def test_commit_of_the_checkout_and_a_mark_when_what_decides_differs(module: Path):
    root = module.parents[1]
    readme = root / "README.md"
    readme.write_text("a\n")
    git(root, "init", "-q")
    assert provenance.source_commit() is None
    git(root, "add", ".")
    git(root, "commit", "-qm", "a")
    readme.write_text("b\n")
    assert provenance.source_commit() == git(root, "rev-parse", "--short=12", "HEAD")
    module.write_text(module.read_text() + "#\n")
    assert str(provenance.source_commit()).endswith("+")
