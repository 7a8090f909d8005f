import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.contract import SetupError, atomic_path, atomic_write, check_replaceable


def test_writes_text_and_bytes_and_makes_the_folder(tmp_path: Path):
    atomic_write(tmp_path / "a" / "b.txt", "grün")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "grün".encode()


def test_keeps_the_old_file_and_leaves_nothing_when_the_block_fails(tmp_path: Path):
    target = tmp_path / "model.keras"
    target.write_text("old")

    def fail_halfway() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_temporary_path_keeps_the_suffix(tmp_path: Path):
    with atomic_path(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"


KILLED = """
import os, signal, sys
from deseptr.contract import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path):
    others = [tmp_path / name for name in (".model-12345678.keras", ".model.deseptr-x.h5", ".other.deseptr-x.keras")]
    for path in others:
        path.write_text("another's")
    target = tmp_path / "model.keras"
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", KILLED, target], check=False).returncode == -signal.SIGKILL
        # One, although two were killed: each attempt removes what the last one left.
        (left,) = set(tmp_path.iterdir()) - set(others)
        assert left.read_text() == "half"
    atomic_write(target, "whole")
    assert set(tmp_path.iterdir()) == {target, *others}


def test_what_another_writes_at_the_same_time_is_left_alone(tmp_path: Path):
    target = tmp_path / "model.keras"
    with atomic_path(target) as temporary:
        temporary.write_text("mine")
        atomic_write(target, "theirs")
        assert temporary.read_text() == "mine"
    assert target.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]


def test_file_is_readable_by_others_as_the_umask_allows(tmp_path: Path):
    atomic_write(tmp_path / "x", "")
    (tmp_path / "plain").touch()
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path):
    def fill() -> None:
        with atomic_path(tmp_path / "x") as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(SetupError, match="x: found No space left on device"):
        fill()
    assert not list(tmp_path.iterdir())


def test_unwritable_folder_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="choose another output path"):
        atomic_write(tmp_path / "file" / "x", "")


@pytest.mark.parametrize("content", [None, b"", b"<page>", b"<page> and more"])
def test_own_output_may_be_replaced(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "out").write_bytes(content)
    check_replaceable(tmp_path / "out", b"<page>", "a page", "-o")
    # It looks and leaves the file to whoever writes it.
    assert (tmp_path / "out").exists() == (content is not None)
    assert content is None or (tmp_path / "out").read_bytes() == content


@pytest.mark.parametrize("content", [b"<pag", b"<html>", b" <page>", b"{}", None])
def test_other_files_may_not_be_replaced(tmp_path: Path, content: bytes | None):
    (tmp_path / "out").mkdir() if content is None else (tmp_path / "out").write_bytes(content)
    with pytest.raises(SetupError, match=r"out: found something else.*expected a page, or no file; choose another -o"):
        check_replaceable(tmp_path / "out", b"<page>", "a page", "-o")


def test_a_target_that_cannot_be_looked_at_is_named_with_the_reason(tmp_path: Path):
    target = tmp_path / (300 * "a")
    with pytest.raises(SetupError) as caught:
        check_replaceable(target, b"<page>", "a page", "-o")
    assert str(caught.value) == f"{target}: found File name too long, expected a readable file; choose another -o"
