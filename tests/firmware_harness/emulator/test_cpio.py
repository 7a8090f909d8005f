import io
import stat

from deseptr.firmware_harness.emulator.cpio import CpioEntry, write_archive


def archive(*entries: CpioEntry) -> bytes:
    stream = io.BytesIO()
    write_archive(stream, entries)
    return stream.getvalue()


def records(data: bytes) -> list[tuple[str, int, bytes]]:
    """The kernel's own reading: fields of eight hexadecimal digits, name and data each padded to four bytes."""
    found = []
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + name_size]
        assert name[-1:] == b"\0"
        start = at + 110 + name_size + -(110 + name_size) % 4
        if name == b"TRAILER!!!\0":
            assert not any(data[start:])
            return found
        found.append((name[:-1].decode(), mode, data[start : start + size]))
        at = start + size + -size % 4


def test_files_links_and_modes_are_written():
    data = archive(
        CpioEntry.file("init", b"#!", executable=True), CpioEntry.file("etc/a", b"12345"), CpioEntry.link("b", "etc/a")
    )
    assert records(data) == [
        ("init", stat.S_IFREG | 0o755, b"#!"),
        ("etc", stat.S_IFDIR | 0o755, b""),
        ("etc/a", stat.S_IFREG | 0o644, b"12345"),
        ("b", stat.S_IFLNK | 0o777, b"etc/a"),
    ]


def test_a_folder_comes_once_and_before_its_contents():
    data = archive(
        CpioEntry.file("a/b/c", b""), CpioEntry.folder("a"), CpioEntry.folder("a/b"), CpioEntry.file("a/b/d", b"")
    )
    assert [name for name, _, _ in records(data)] == ["a", "a/b", "a/b/c", "a/b/d"]


def test_archives_can_follow_one_another():
    first = archive(CpioEntry.file("a", b"x"))
    assert len(first) % 512 == 0
    assert first == archive(CpioEntry.file("a", b"x"))
