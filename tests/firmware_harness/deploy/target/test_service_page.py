"""Where the page of a flashed service is, and what a manifest says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.target.manifest import MODEL, BoardTarget, Entry, Manifest
from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.service_page import page_address, trial_words

MANIFEST = Manifest(
    version="1.0",
    build=1,
    target=BoardTarget("aarch64", "3.13", "2.41"),
    files={MODEL: Entry(1, "0" * 64)},
    listen="192.168.1.7:8384",
)
SECRET = "a_-B" * 8


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


def address(tmp_path: Path, *run: object, listen: str = "192.168.1.7:8384") -> str | None:
    return page_address(tmp_path, replace(MANIFEST, run=tuple(map(str, run)), listen=listen), "supervised")


def test_the_address_has_the_secret_of_the_service(tmp_path: Path, token: Path):
    expected = f"http://192.168.1.7:8384/{SECRET}/"
    assert address(tmp_path, "--web-token-file", token) == address(tmp_path, f"--web-token-file={token}") == expected
    assert address(tmp_path, "--web-token-file", token, "--web-cert", "c.pem") == expected.replace("http", "https")
    assert address(tmp_path, "--web-no-auth", "--web-no-auth") == "http://192.168.1.7:8384/"


def test_the_state_folder_is_that_of_the_service(tmp_path: Path, token: Path):
    settings = tmp_path / ".settings"
    settings.mkdir()
    (settings / "service.env").write_text(f"XDG_STATE_HOME={tmp_path}\n")
    assert address(tmp_path) == "http://192.168.1.7:8384/"
    (tmp_path / "deseptr").mkdir()
    token.rename(tmp_path / "deseptr" / "web-token")
    assert address(tmp_path) == f"http://192.168.1.7:8384/{SECRET}/"


def test_all_addresses_of_the_board_are_told_as_one(tmp_path: Path, token: Path):
    found = address(tmp_path, "--web-token-file", token, listen="0.0.0.0:8384")
    assert found is not None
    assert found.endswith(f":8384/{SECRET}/")
    assert "0.0.0.0" not in found


@pytest.mark.parametrize("content", ["", "short", "root:*:19000:0:99999:7:::\n" * 3, "a b" * 20])
def test_a_file_of_something_else_is_not_told(tmp_path: Path, token: Path, content: str):
    token.write_text(content)
    assert address(tmp_path, "--web-token-file", token) == "http://192.168.1.7:8384/"


def test_a_link_is_not_followed(tmp_path: Path, token: Path):
    link = tmp_path / "link"
    link.symlink_to(token)
    assert address(tmp_path, "--web-token-file", link) == "http://192.168.1.7:8384/"


def test_no_page_and_no_service(tmp_path: Path):
    assert page_address(tmp_path, replace(MANIFEST, listen=None), "system") is None
    assert page_address(tmp_path, MANIFEST, None) is None


def test_a_trial_leaves_nothing_of_a_page(tmp_path: Path):
    assert trial_words(replace(MANIFEST, listen=None), tmp_path) == []
    assert trial_words(MANIFEST, tmp_path) == ["--web-token-file", str(tmp_path / "web-token")]
    recording = replace(MANIFEST, run=("--web-recordings", "/var/lib/deseptr/takes"))
    assert trial_words(recording, tmp_path)[2:] == ["--web-recordings", str(tmp_path / "takes")]
    wearing = replace(MANIFEST, run=("--web-wearers=/var/lib/deseptr/wearers",))
    assert trial_words(wearing, tmp_path)[2:] == ["--web-wearers", str(tmp_path / "wearers")]


@pytest.mark.parametrize("listen", [None, "0.0.0.0:8384", "pi.local:1024", "[::]:65535"])
def test_a_manifest_tells_where_a_service_listens(listen: str | None):
    manifest = replace(MANIFEST, listen=listen)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    # A board with an earlier version reads a bundle without a page.
    assert ("listen" in json.loads(manifest.to_bytes())) == (listen is not None)


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:80", "0.0.0.0:65536", "0.0.0.0", ":8384", "pi\nSocketBindAllow=any:8384", "a b:8384", 8384, ""]
)
def test_a_manifest_cannot_ask_for_more_than_a_port(listen: object):
    fields = json.loads(MANIFEST.to_bytes()) | {"listen": listen}
    with pytest.raises(RefusedError, match=r"expected HOST:PORT, with a port from 1024 to 65535"):
        Manifest.from_bytes(json.dumps(fields).encode())
