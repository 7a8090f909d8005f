"""Writing cpio archives of the `newc` kind, which the Linux kernel unpacks as its first file system.

Format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst. Archives may follow one another in one file;
the kernel unpacks them in turn, and a later file replaces an earlier one of its name.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Self

_ALIGNMENT = 4
_BLOCK = 512
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True, slots=True)
class CpioEntry:
    """One file, folder or link of an archive.

    Args:
        path: relative to the root, without a slash at either end.
        mode: type and permissions as in ``st_mode``.
        data: a file's content or a link's target.
    """

    path: str
    mode: int
    data: bytes = b""

    @classmethod
    def file(cls, path: str, data: bytes, *, executable: bool = False) -> Self:
        """A regular file."""
        return cls(path, stat.S_IFREG | (0o755 if executable else 0o644), data)

    @classmethod
    def folder(cls, path: str) -> Self:
        """A folder."""
        return cls(path, stat.S_IFDIR | 0o755)

    @classmethod
    def link(cls, path: str, target: str) -> Self:
        """A symbolic link."""
        return cls(path, stat.S_IFLNK | 0o777, target.encode())


def write_archive(stream: BinaryIO, entries: Iterable[CpioEntry]) -> None:
    """Write an archive, with every folder once and before its contents, also if no entry names it."""
    folders: set[str] = set()
    size = 0
    for entry in entries:
        for folder in _ancestors(entry.path):
            if folder not in folders:
                folders.add(folder)
                size += stream.write(_record(CpioEntry.folder(folder)))
        if stat.S_ISDIR(entry.mode):
            if entry.path in folders:
                continue
            folders.add(entry.path)
        size += stream.write(_record(entry))
    size += stream.write(_record(CpioEntry(_TRAILER, 0)))
    stream.write(bytes(-size % _BLOCK))


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _record(entry: CpioEntry) -> bytes:
    name = entry.path.encode() + b"\0"
    # inode, mode, owner, group, links, time, size, device (2), its own device (2), length of the name, checksum
    fields = (0, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)
