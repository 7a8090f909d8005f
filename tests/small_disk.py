"""A small file system of its own, to fill up, to free and to make read-only."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of one mebibyte."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leave no room."""
        with (self.path / "ballast").open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self, size: int = 1 << 20) -> None:
        """Make room, by default all that :meth:`fill` took."""
        ballast = self.path / "ballast"
        os.truncate(ballast, max(0, ballast.stat().st_size - size))

    def read_only(self, on: bool = True) -> None:
        """Mount it so that nothing can be written, or can be again."""
        _mount("-o", f"remount,{'ro' if on else 'rw'}", str(self.path))


def _mount(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """A file system of one mebibyte; skips where none can be mounted."""
    path = tmp_path_factory.mktemp("disk")
    if not _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)):
        pytest.skip("no file system can be mounted here")
    yield SmallDisk(path)
    subprocess.run(["umount", "--lazy", path], check=True)
