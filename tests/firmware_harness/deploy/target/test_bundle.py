"""Bundles: every byte counts, and no bundle can name anything outside its folder."""

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.deploy.target.bundle import entry_of, header, read_bundle, write_bundle
from deseptr.firmware_harness.deploy.target.manifest import MODEL, BoardTarget, Entry, Manifest
from deseptr.firmware_harness.deploy.target.refusal import RefusedError

TARGET = BoardTarget("aarch64", "3.13", "2.41")
CONTENTS = {MODEL: bytes(range(256)) * 5, "wheels/a-1.0-py3-none-any.whl": b"wheel", "empty": b""}


def bundled(folder: Path, contents: dict[str, bytes] = CONTENTS, signature: bytes | None = b"signature") -> bytes:
    folder.mkdir(exist_ok=True)
    sources = {}
    for index, (name, content) in enumerate(contents.items()):
        sources[name] = folder / str(index)
        sources[name].write_bytes(content)
    files = {name: entry_of(path) for name, path in sources.items()}
    stream = io.BytesIO()
    write_bundle(stream, Manifest(version="1.0", build=7, target=TARGET, files=files), sources, signature)
    return stream.getvalue()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return bundled(tmp_path_factory.mktemp("bundle"))


def refused(content: bytes, folder: Path | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        read_bundle(io.BytesIO(content), folder)
    assert str(caught.value).count("\n") == 0
    return caught.value


@pytest.mark.parametrize("signature", [None, b"signature"])
def test_unpacked_files_are_the_packed_ones(tmp_path: Path, signature: bytes | None):
    content = bundled(tmp_path / "in", signature=signature)
    out = tmp_path / "out"
    out.mkdir()
    manifest = read_bundle(io.BytesIO(content), out)
    assert (manifest.release, manifest.target) == ("1.0-7", TARGET)
    assert {name: (out / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert Manifest.from_bytes((out / "manifest.json").read_bytes()) == manifest


def test_tar_can_list_and_unpack_it(whole: bytes):
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        first, second, *names, last = archive.getnames()
        assert (first, second, last) == ("manifest.json", "manifest.json.sig", "bundle.sha256")
        assert names == sorted(CONTENTS)
        member = archive.extractfile(MODEL)
        assert member is not None
        assert member.read() == CONTENTS[MODEL]


def test_same_content_gives_the_same_bytes(whole: bytes, tmp_path: Path):
    assert bundled(tmp_path) == whole


@given(st.data())
def test_any_changed_byte_is_refused(whole: bytes, data: st.DataObject):
    at = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    assert refused(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]).found


def test_any_changed_bit_of_the_first_blocks_and_the_last_is_refused(whole: bytes):
    # The headers and the end, where a general tar reader would not look at every byte.
    for at in (*range(512), *range(len(whole) - 1600, len(whole))):
        assert refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]).found


@given(st.data())
def test_any_truncation_is_refused(whole: bytes, data: st.DataObject):
    assert refused(whole[: data.draw(st.integers(0, len(whole) - 1))]).thing == "bundle"


@given(st.binary(min_size=1, max_size=2000))
def test_bytes_after_the_end_are_refused(whole: bytes, more: bytes):
    assert refused(whole + more).expected == "two empty blocks and the end"


@given(st.binary(max_size=3000))
def test_random_bytes_are_refused(noise: bytes):
    assert refused(noise).thing == "bundle"


def forged(entries: list[tuple[tarfile.TarInfo, bytes]], manifest: Manifest) -> bytes:
    """What someone makes with a general tar writer and a right sum at the end."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        head = tarfile.TarInfo("manifest.json")
        head.size = len(manifest.to_bytes())
        archive.addfile(head, io.BytesIO(manifest.to_bytes()))
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    end = _without_end(stream.getvalue())
    total = f"{hashlib.sha256(end).hexdigest()}\n".encode()
    return end + header("bundle.sha256", 65) + total.ljust(512, b"\0") + bytes(1024)


def _without_end(content: bytes) -> bytes:
    stripped = content.rstrip(b"\0")
    return content[: -(-len(stripped) // 512) * 512]


def plain(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


MODEL_ENTRY = Entry(5, hashlib.sha256(b"model").hexdigest())
ONLY_MODEL = Manifest(version="1.0", build=7, target=TARGET, files={MODEL: MODEL_ENTRY})


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([(plain(MODEL), b"model"), (plain("extra"), b"x")], "an entry 'extra'"),
        ([(plain(MODEL), b"other")], "another SHA-256 of model.tflite"),
        ([(plain(MODEL), b"model!")], "an entry 'model.tflite'"),
        ([(plain(MODEL, tarfile.SYMTYPE, "/etc/passwd"), b"")], "a symbolic link 'model.tflite'"),
        ([(plain(MODEL, tarfile.LNKTYPE, "/etc/passwd"), b"")], "a hard link 'model.tflite'"),
        ([(plain(MODEL, tarfile.DIRTYPE), b"")], "a folder 'model.tflite/'"),
        ([(plain("../../etc/cron.d/x"), b"x"), (plain(MODEL), b"model")], "an entry '../../etc/cron.d/x'"),
        ([(plain("/etc/passwd"), b"x"), (plain(MODEL), b"model")], "an entry '/etc/passwd'"),
        ([(plain(MODEL), b"model"), (plain(MODEL), b"model")], "an entry 'model.tflite'"),
        ([], "an entry 'bundle.sha256'"),
    ],
)
def test_links_and_devices_of_a_general_tar_are_refused(
    tmp_path: Path, entries: list[tuple[tarfile.TarInfo, bytes]], found: str
):
    inside = tmp_path / "inside"
    inside.mkdir()
    assert refused(forged(entries, ONLY_MODEL), inside).found == found
    assert {path.name for path in inside.iterdir()} <= {MODEL}
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "a/b/c", ".hidden", "a/../b", "x\n", "", "a//b", "-x", "manifest.json", f"{MODEL}/x", "x" * 101],
)
def test_manifest_with_an_invalid_file_name_is_refused(name: str):
    manifest = replace(ONLY_MODEL, files={**ONLY_MODEL.files, name: MODEL_ENTRY})
    with pytest.raises(RefusedError):
        Manifest.from_bytes(manifest.to_bytes())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"build": 7', '"build": true'),
        ('"build": 7', '"build": -1'),
        ('"version": "1.0"', '"version": "../1"'),
        ('"seconds": 10.0', '"seconds": NaN'),
        ('"seconds": 10.0', '"seconds": 1e999'),
        ('"run": []', '"run": ["a\\nb"]'),
        ('"run": []', '"run": "--help"'),
        ('"network": false', '"network": 0'),
        ('"bus": 1', '"bus": "1"'),
        ('"format": 1', '"format": 2'),
        ('"size": 5', '"size": 1e9'),
        ('"bus": 1', '"bus": 1, "more": 1'),
        ('"extras": []', '"extras": ["x] @ http://elsewhere"]'),
    ],
)
def test_invalid_manifest_is_refused(old: str, new: str):
    text = ONLY_MODEL.to_bytes().decode()
    assert old in text
    with pytest.raises(RefusedError, match="make the bundle again"):
        Manifest.from_bytes(text.replace(old, new).encode())


words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(
    st.from_regex(r"[0-9]\.[0-9]{1,3}", fullmatch=True),
    st.integers(0, 2**63 - 1),
    st.lists(words, max_size=4),
    st.none() | st.lists(words, max_size=3),
    st.floats(0.1, 3600),
    st.none() | st.integers(0, 9),
    st.booleans(),
    st.none() | st.integers(1024, 65_535).map("0.0.0.0:{}".format),
)
def test_manifest_round_trip(version, build, run, doctor, seconds, bus, network, listen):
    doctor = None if doctor is None else tuple(doctor)
    chosen = (build, TARGET, tuple(run), doctor, seconds, bus, network, ("mqtt",), listen)
    manifest = Manifest(*chosen, version, ONLY_MODEL.files)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
