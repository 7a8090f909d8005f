"""Files that are made to hang a reader, to exhaust the memory, or to hit an exception that nobody expects."""

import io
import os
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


def bomb(name: str, size: int) -> bytes:
    """A zip archive whose member ``name`` unpacks to ``size`` zeros."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return buffer.getvalue()


def declared(archive: bytes, size: int) -> bytes:
    """An archive of one member with another unpacked size in its directory: offset 24 of its only entry."""
    at = archive.rindex(b"PK\x01\x02")
    return archive[: at + 24] + struct.pack("<I", size) + archive[at + 28 :]


def encrypted(archive: bytes) -> bytes:
    """An archive whose members claim to be encrypted: bit 0 of the flags, offset 6 of a header, 8 of an entry."""
    content = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := archive.find(mark, at + 1)) >= 0:
            content[at + offset] |= 1
    return bytes(content)


def with_method(archive: bytes, method: int) -> bytes:
    """An archive whose members claim another compression: offset 8 of a header, 10 of a directory's entry."""
    content = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = -1
        while (at := archive.find(mark, at + 1)) >= 0:
            content[at + offset : at + offset + 2] = struct.pack("<H", method)
    return bytes(content)


def npy_with_header(header: str, version: tuple[int, int] = (1, 0), data: bytes = b"") -> bytes:
    """An ``.npy`` file with any text as its header."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", len(text)) + text + data


def npz_with(member: bytes, name: str = "signals.npy") -> bytes:
    """An ``.npz`` file of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, member)
    return buffer.getvalue()


def npz_of(**arrays: object) -> bytes:
    """An honest ``.npz`` file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.asarray(value) for name, value in arrays.items()})
    return buffer.getvalue()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # The path of a socket is short.
        folder = os.open(path.parent, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


# What is no regular file, by name: a function that makes one at a path.
IRREGULAR: dict[str, Callable[[Path], None]] = {
    "pipe": _fifo,
    "zeros": _zeros,
    "socket": _socket,
    "folder": lambda path: path.mkdir(),
}
