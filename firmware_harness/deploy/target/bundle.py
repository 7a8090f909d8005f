"""Reading and writing bundles: a tar whose every byte follows from its manifest, so that only one form is valid.

A general tar reader has to make sense of links, devices, absolute paths, repeated names and trailing bytes. This one
knows from the manifest which bytes must come next and refuses all others, so that none of these can be expressed; `tar`
can still list and unpack a bundle. In order: `manifest.json`, its signature if any, the files sorted by name, and the
sum of all that, which guards the manifest of an unsigned bundle against damage (not against a forger: that is the
signature's part).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .manifest import MANIFEST, SIGNATURE, TOTAL, Entry, Manifest
from .refusal import RefusedError
from .signature import verify

_BLOCK = 512
_CHUNK = 1 << 20
_MOST = {MANIFEST: 1 << 20, SIGNATURE: 1 << 14, TOTAL: 65}
_REFETCH = "nothing was changed; make the bundle again or send it again"


def entry_of(path: Path) -> Entry:
    """Size and sum of a file."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
    return Entry(size, digest.hexdigest())


def header(name: str, size: int) -> bytes:
    """The ustar header (POSIX.1-1988) of a plain file that anyone may read, owned by root, of no time."""
    fields = [
        name.encode("ascii").ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,  # mode, user, group
        b"%011o\0" % size + b"%011o\0" % 0,  # size, time
        b" " * 8,  # the sum is counted with spaces in its place
        b"0".ljust(101, b"\0"),  # a plain file, and no link's name
        b"ustar\x0000",
    ]
    block = b"".join(fields).ljust(_BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def write_bundle(stream: IO[bytes], manifest: Manifest, sources: dict[str, Path], signature: bytes | None) -> None:
    """Write a bundle.

    Args:
        stream: the output.
        manifest: its manifest.
        sources: path of each of the manifest's files.
        signature: signature of the manifest's bytes, or None.
    """
    digest = hashlib.sha256()

    def put(content: bytes) -> None:
        digest.update(content)
        stream.write(content)

    def put_file(name: str, content: bytes) -> None:
        put(header(name, len(content)) + content + _padding(len(content)))

    put_file(MANIFEST, manifest.to_bytes())
    if signature is not None:
        put_file(SIGNATURE, signature)
    for name, entry in sorted(manifest.files.items()):
        put(header(name, entry.size))
        with sources[name].open("rb") as source:
            for chunk in iter(lambda source=source: source.read(_CHUNK), b""):  # type: ignore[misc]
                put(chunk)
        put(_padding(entry.size))
    put_file(TOTAL, f"{digest.hexdigest()}\n".encode())
    put(bytes(2 * _BLOCK))


def read_bundle(stream: IO[bytes], folder: Path | None = None, signers: Path | None = None) -> Manifest:
    """Verify a bundle to its last byte, and unpack it on the way.

    Args:
        stream: the bundle.
        folder: an empty folder to unpack to, which the caller removes after an error; None only verifies.
        signers: allowed signers (ssh-keygen(1)), one of which must have signed; None accepts unsigned bundles.

    Raises:
        RefusedError: at the first byte that differs from the one that the manifest determines.
    """
    reader = _Reader(stream)
    content = reader.named(MANIFEST)
    manifest = Manifest.from_bytes(content)
    signature = reader.named(SIGNATURE) if reader.next_is(SIGNATURE) else None
    if signers is not None:
        verify(content, signature, signers)
    for name, entry in sorted(manifest.files.items()):
        _unpack(reader, name, entry, folder)
    total = reader.digest()
    if reader.named(TOTAL) != total:
        raise _damaged("another sum over all", "the sum of what came before")
    if stream_rest := reader.rest(2 * _BLOCK):
        raise _damaged(stream_rest, "two empty blocks and the end")
    if folder is not None:
        (folder / MANIFEST).write_bytes(content)
    return manifest


def _unpack(reader: _Reader, name: str, entry: Entry, folder: Path | None) -> None:
    chunks = reader.file(name, entry)
    if folder is None:
        for _ in chunks:
            pass
        return
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as sink:
        for chunk in chunks:
            sink.write(chunk)


class _Reader:
    """A stream whose next bytes are known."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest: Any = hashlib.sha256()
        self._ahead = b""

    def digest(self) -> bytes:
        return f"{self._digest.hexdigest()}\n".encode()

    def next_is(self, name: str) -> bool:
        if not self._ahead:
            self._ahead = self._take(_BLOCK)
        return self._ahead[:100].rstrip(b"\0") == name.encode()

    def named(self, name: str) -> bytes:
        """A small file whose size is only in its header."""
        if not self.next_is(name):
            raise _damaged(_describe(self._ahead), name)
        try:
            size = int(self._ahead[124:135], 8)
        except ValueError as error:
            raise _damaged(f"no size of {name}", "a ustar header") from error
        if not 0 <= size <= _MOST[name]:
            raise _damaged(f"{size} bytes of {name}", f"at most {_MOST[name]}")
        self._expect_header(name, size)
        content = self._take(size)
        self._expect(_padding(size), f"after {name}")
        return content

    def file(self, name: str, entry: Entry) -> Iterator[bytes]:
        """The chunks of a file; raises after the last one if they differ from the manifest's."""
        self._expect_header(name, entry.size)
        digest = hashlib.sha256()
        left = entry.size
        while left:
            chunk = self._take(min(left, _CHUNK))
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        if digest.hexdigest() != entry.sha256:
            raise _damaged(f"another SHA-256 of {name}", "the manifest's")
        self._expect(_padding(entry.size), f"after {name}")

    def rest(self, zeros: int) -> str:
        """The error at the end of the stream, or nothing."""
        found = self._stream.read(zeros + 1)
        if found == bytes(zeros):
            return ""
        if found[:_BLOCK].strip(b"\0"):
            return _describe(found[:_BLOCK])
        return f"{len(found)} bytes" if len(found) <= zeros else "more bytes"

    def _expect_header(self, name: str, size: int) -> None:
        found = self._ahead or self._take(_BLOCK)
        self._ahead = b""
        if found != header(name, size):
            raise _damaged(_describe(found), f"{name}, a plain file of {size} bytes")

    def _expect(self, content: bytes, where: str) -> None:
        if self._take(len(content)) != content:
            raise _damaged(f"other bytes {where}", "empty padding")

    def _take(self, size: int) -> bytes:
        content = self._stream.read(size)
        if len(content) < size:
            raise _damaged("its end too early", f"{size - len(content)} more bytes here")
        self._digest.update(content)
        return content


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _describe(block: bytes) -> str:
    """Description of any header in a few words."""
    kinds = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"5": "a folder"}
    name = block[:100].split(b"\0")[0].decode("ascii", "backslashreplace")
    kind = kinds.get(block[156:157], "an entry" if block[257:262] == b"ustar" else "no tar header but")
    return f"{kind} {name!r:.110}"


def _damaged(found: str, expected: str) -> RefusedError:
    return RefusedError("bundle", found=found, expected=expected, next_step=_REFETCH)
