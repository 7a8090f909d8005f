import io
import tracemalloc
import zipfile

import pytest
from hostile_files import IRREGULAR, bomb, declared, encrypted, with_method
from hypothesis import given, strategies as st

from deseptr.contract import ArchiveError, ZipReader
from deseptr.contract.zip_reader import ALWAYS_ALLOWED

SIZE = 160 << 20
BOMB = bomb("a", SIZE)


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_members_of_a_file_and_of_its_content(tmp_path):
    content = packed(a=b"1" * 1000, b=b"")
    (tmp_path / "a.zip").write_bytes(b"before" + content)
    for source, begin in ((content, 0), (tmp_path / "a.zip", 6)):
        with ZipReader(source) as archive:
            assert archive.names() == ["a", "b"]
            assert (archive.size("a"), archive.begin()) == (1000, begin)
            assert (archive.read("a"), archive.read("b")) == (b"1" * 1000, b"")
            archive.check()


def test_a_bomb_is_refused_by_its_declared_size():
    tracemalloc.start()
    with ZipReader(BOMB) as archive, pytest.raises(ArchiveError, match=f"a unpacks to {SIZE:,} bytes"):
        archive.read("a")
    assert tracemalloc.get_traced_memory()[1] < len(BOMB) + (4 << 20)
    tracemalloc.stop()


def test_a_bomb_that_declares_little_gives_no_more_than_it_declares():
    tracemalloc.start()
    with ZipReader(declared(BOMB, 1000)) as archive, pytest.raises(ArchiveError, match="CRC"):
        archive.read("a")
    assert tracemalloc.get_traced_memory()[1] < 4 * len(BOMB) + (4 << 20)
    tracemalloc.stop()


def test_64_mebibytes_are_allowed_whatever_the_ratio():
    with ZipReader(packed(a=bytes(64 << 20))) as archive:
        archive.open("a").close()
        with pytest.raises(ArchiveError, match="a unpacks to 67,108,864 bytes, 0 are allowed"):
            archive.open("a")


def test_many_members_together_are_limited():
    half = ALWAYS_ALLOWED // 2 + 1
    archive = ZipReader(packed(a=bytes(half), b=bytes(half)))
    archive.read("a")
    with pytest.raises(ArchiveError, match="b unpacks to"):
        archive.read("b")
    with ZipReader(packed(a=bytes(half), b=bytes(half))) as archive, pytest.raises(ArchiveError, match="unpacks to"):
        archive.check()


def test_a_caller_may_allow_less():
    with ZipReader(packed(a=bytes(10)), 9) as archive, pytest.raises(ArchiveError, match="10 bytes, 9 are allowed"):
        archive.read("a")


def test_a_larger_archive_may_unpack_to_a_hundred_times_its_size(monkeypatch):
    monkeypatch.setattr("deseptr.contract.zip_reader.ALWAYS_ALLOWED", 0)
    content = packed(a=bytes(50_000))
    with ZipReader(content) as archive, pytest.raises(ArchiveError, match="are allowed"):
        archive.read("a")
    with ZipReader(bytes(1000) + content) as archive:
        assert archive.read("a") == bytes(50_000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encrypted(packed(a=b"secret")), "a is encrypted"),
        (with_method(packed(a=b"text"), 93), "a is compressed by method 93"),
        (with_method(packed(a=b"text"), zipfile.ZIP_BZIP2), "a is compressed by method 12"),
        (declared(packed(a=b"text"), 5), "a is 1 byte shorter than declared"),
        (b"", "not a zip file"),
        (packed(a=b"text")[:-4], "not a zip file"),
        (packed(a=b"text").replace(b"PK\x01\x02", b"PK\x01\x03"), "magic number"),
    ],
)
def test_a_broken_archive_has_a_reason(content, message):
    with pytest.raises(ArchiveError, match=message), ZipReader(content) as archive:
        archive.read("a")


def test_no_such_member():
    with ZipReader(packed(a=b"")) as archive, pytest.raises(ArchiveError, match="no member b"):
        archive.read("b")


def test_a_directory_of_many_members_is_refused():
    # Two million entries of a member that is not there would be gigabytes of objects.
    content = packed(a=b"")
    entry = content[content.rindex(b"PK\x01\x02") : content.rindex(b"PK\x05\x06")]
    entries = entry * (5 * 2**20 // len(entry))
    end = bytearray(content[content.rindex(b"PK\x05\x06") :])
    end[12:16] = len(entries).to_bytes(4, "little")
    with pytest.raises(ArchiveError, match="too many members"):
        ZipReader(content[: content.rindex(b"PK\x01\x02")] + entries + bytes(end))


@pytest.mark.parametrize("kind", IRREGULAR)
def test_what_is_no_regular_file_is_refused(tmp_path, kind):
    IRREGULAR[kind](tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="not a regular file"):
        ZipReader(tmp_path / "a.zip")


@given(st.data())
def test_a_damaged_archive_is_read_or_refused(data):
    content = bytearray(packed(a=b"walking" * 50, b=bytes(100)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with ZipReader(bytes(content)) as archive:
            members = {name: archive.read(name) for name in archive.names()}
    except ArchiveError:
        members = {}
    assert all(isinstance(member, bytes) for member in members.values())
