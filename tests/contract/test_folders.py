from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deseptr.contract import SetupError, atomic_folder, check_new_folder, scratch_folder


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "a" / "out") as folder:
        (folder / "x.txt").write_text("x")
        assert not (tmp_path / "a" / "out").exists()
    assert _names(tmp_path) == ["a", "a/out", "a/out/x.txt"]
    assert stat.S_IMODE((tmp_path / "a" / "out").stat().st_mode) == 0o777 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_and_fail(target: Path) -> None:
    with atomic_folder(target) as folder:
        (folder / "x.txt").write_text("x")
        raise ZeroDivisionError


def test_nothing_is_left_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(tmp_path / "out")
    assert _names(tmp_path) == []


def test_an_empty_folder_is_replaced_and_one_with_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "x.txt").write_text("x")
    with pytest.raises(SetupError, match="out: found a folder with files in it, expected no such folder"):
        check_new_folder(tmp_path / "out")
    with pytest.raises(SetupError, match="found a folder with files in it"), atomic_folder(tmp_path / "out"):
        pass
    with pytest.raises(SetupError, match=r"x\.txt: found a file"):
        check_new_folder(tmp_path / "out" / "x.txt")
    assert _names(tmp_path) == ["out", "out/x.txt"]


def _write_while_another_does(target: Path) -> None:
    with atomic_folder(target):
        target.mkdir()
        (target / "mine.txt").write_text("mine")


def test_a_file_that_came_meanwhile_is_kept(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="expected room and permission"):
        _write_while_another_does(tmp_path / "out")
    assert _names(tmp_path) == ["out", "out/mine.txt"]


def test_an_unwritable_parent_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SetupError, match="out: found File exists, expected a writable folder"),
        atomic_folder(tmp_path / "file" / "out"),
    ):
        pass


def test_what_a_killed_process_left_is_removed_and_what_another_writes_is_not(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom deseptr.contract import atomic_folder\n"
        "with atomic_folder(sys.argv[1]) as folder:\n"
        "    (folder / 'x').write_text('x')\n    print('here', flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "out")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "y").write_text("y")
        assert len(list(tmp_path.iterdir())) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / "out" / "y").unlink()
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "z").write_text("z")
    assert _names(tmp_path) == ["out", "out/z"]


def test_scratch_of_a_killed_process_is_removed_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    script = (
        "import time\nfrom deseptr.contract import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    (folder / 'take.csv').write_text('x')\n    print(folder.name, flush=True)\n    time.sleep(60)\n"
    )
    (tmp_path / "aim").mkdir()
    (tmp_path / "aim" / "mine.txt").write_text("mine")
    (tmp_path / "deseptr-scratch-link").symlink_to(tmp_path / "aim")
    (tmp_path / "deseptr-scratch-file").write_text("")
    foreign = _names(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    theirs = process.stdout.readline().strip()
    with scratch_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (tmp_path / theirs / "take.csv").exists()
        process.kill()
        process.wait()
        process.stdout.close()
        with scratch_folder() as inner:
            assert not (tmp_path / theirs).exists()
            assert folder.exists()
            (inner / "a").mkdir()
    assert _names(tmp_path) == foreign


def test_a_folder_of_another_user_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "deseptr-scratch-theirs"
    left.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: left.stat().st_uid + 1)
        with scratch_folder(tmp_path):
            assert left.exists()
    with scratch_folder(tmp_path):
        assert not left.exists()


def test_scratch_without_a_writable_folder_is_refused_in_a_line(tmp_path: Path) -> None:
    with (
        pytest.raises(SetupError, match="absent: found No such file or directory, expected a writable folder"),
        scratch_folder(tmp_path / "absent"),
    ):
        pass


def test_a_path_that_cannot_be_looked_at_is_named_with_the_systems_reason_alone(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 300)
    with pytest.raises(SetupError) as refused:
        check_new_folder(target, "--out")
    assert str(refused.value) == (
        f"{target}: found File name too long, expected no such folder, or an empty one; choose another --out"
    )
