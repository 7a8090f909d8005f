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
    copy = tmp_path / "provenance.py"
    shutil.copy(provenance.__file__, copy)
    monkeypatch.setattr(provenance, "__file__", str(copy))
    return copy


def test_outside_a_checkout_there_is_none(module: Path):
    assert provenance.source_commit() is None


def test_commit_of_the_checkout_and_a_mark_when_files_differ(module: Path):
    git(module.parent, "init", "-q")
    assert provenance.source_commit() is None
    git(module.parent, "add", ".")
    git(module.parent, "commit", "-qm", "a")
    assert provenance.source_commit() == git(module.parent, "rev-parse", "--short=12", "HEAD")
    module.write_text(module.read_text() + "#\n")
    assert str(provenance.source_commit()).endswith("+")
