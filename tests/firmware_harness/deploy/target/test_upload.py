"""Uploads: cut anywhere and gone on with."""

import hashlib
import io
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.releases import Releases
from deseptr.firmware_harness.deploy.target.upload import offset, part_path, receive

CONTENT = bytes(range(256)) * 40
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    made = Releases(tmp_path)
    made.make()
    return made


def send(releases: Releases, content: bytes, begin: int) -> Path:
    return receive(releases, io.BytesIO(content[begin:]), SHA, len(CONTENT), begin)


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(CONTENT)), max_size=5))
def test_an_upload_interrupted_anywhere_resumes_and_is_complete(cuts: list[int]):
    folder = Path(tempfile.mkdtemp(prefix="deseptr-test-"))
    try:
        releases = Releases(folder)
        releases.make()
        for cut in sorted(cuts):
            begin = offset(releases, SHA)
            if cut < len(CONTENT):
                with pytest.raises(RefusedError, match="the connection ended"):
                    send(releases, CONTENT[:cut], begin)
                assert offset(releases, SHA) == cut
        assert send(releases, CONTENT, offset(releases, SHA)).read_bytes() == CONTENT
    finally:
        shutil.rmtree(folder)


def test_wrong_content_is_removed(releases: Releases):
    with pytest.raises(RefusedError, match="another SHA-256"):
        send(releases, CONTENT[::-1], 0)
    assert offset(releases, SHA) == 0


@pytest.mark.parametrize("begin", [0, 49, 51])
def test_gap_or_overlap_is_refused_and_received_bytes_are_kept(releases: Releases, begin: int):
    with pytest.raises(RefusedError, match="the connection ended"):
        send(releases, CONTENT[:50], 0)
    with pytest.raises(RefusedError, match=f"found 50 bytes there, expected {begin}"):
        send(releases, CONTENT, begin)
    assert offset(releases, SHA) == 50


def test_two_uploads_at_once_do_not_mix(releases: Releases):
    waits = []
    path = part_path(releases, SHA)

    class Meanwhile(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            with pytest.raises(RefusedError, match="another upload of the same bundle"):
                send(releases, CONTENT, 0)
            assert offset(releases, SHA, sleep=waits.append) == path.stat().st_size
            return super().read1(size)

    assert receive(releases, Meanwhile(CONTENT), SHA, len(CONTENT), 0).read_bytes() == CONTENT
    assert waits


def test_uploads_of_others_stay_until_nothing_came_for_an_hour(releases: Releases):
    with pytest.raises(RefusedError):
        send(releases, CONTENT[:50], 0)
    other = hashlib.sha256(b"another").hexdigest()
    whole = receive(releases, io.BytesIO(b"another"), other, 7, 0)
    assert offset(releases, "0" * 64) == 0
    # One is about to be resumed, the other about to be installed.
    assert (offset(releases, SHA), whole.read_bytes()) == (50, b"another")
    for path in (part_path(releases, SHA), whole):
        before = path.stat().st_mtime - 3700
        os.utime(path, (before, before))
    assert offset(releases, SHA) == 50
    assert not whole.parent.exists()


def test_what_an_installation_keeps_there_is_no_upload(releases: Releases):
    (releases.incoming / "staged-1").mkdir()
    offset(releases, SHA)
    assert (releases.incoming / "staged-1").is_dir()


@pytest.mark.parametrize("sha256", ["..", "a" * 63, "../" + "a" * 61, "A" * 64])
def test_upload_must_be_named_by_its_sha256(releases: Releases, sha256: str):
    with pytest.raises(RefusedError, match="expected a SHA-256"):
        part_path(releases, sha256)


def test_upload_is_readable_for_its_owner_only(releases: Releases):
    assert send(releases, CONTENT, 0).parents[1].stat().st_mode & 0o077 == 0
