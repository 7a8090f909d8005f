"""Who may ask, where the page listens, and the file of the secret."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.contract.page_answers import RefusedRequestError
from deseptr.device.live_page import Access, ListenAddress, parse_listen, read_or_make_secret

ACCESS = Access("http", "secret", frozenset({"localhost", "pi", "pi.local"}))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8384", "192.168.1.7:8384", "[::1]:8384", "[fe80::1%eth0]:1", "pi.local:8384", "PI:8384", "localhost"],
)
def test_own_names_and_all_addresses_are_answered(host: str):
    ACCESS.check_site({"host": host}, changes=False)
    ACCESS.check_site({"host": host, "origin": f"http://{host}"}, changes=True)


@pytest.mark.parametrize(
    "host", ["evil.example:8384", "127.0.0.1.evil.example", "pi.local.evil.example:8384", "", ":80"]
)
def test_a_name_that_was_made_to_mean_this_machine_is_refused(host: str):
    with pytest.raises(RefusedRequestError, match="another name"):
        ACCESS.check_site({"host": host}, changes=False)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://pi.local:8384", "http://pi.local:1", ""])
def test_pages_of_others_are_refused(origin: str):
    with pytest.raises(RefusedRequestError, match="own page"):
        ACCESS.check_site({"host": "pi.local:8384", "origin": origin}, changes=False)


def test_what_changes_something_must_name_its_page():
    with pytest.raises(RefusedRequestError, match="own page"):
        ACCESS.check_site({"host": "pi.local:8384"}, changes=True)


@pytest.mark.parametrize("path", ["/secre/x", "/secrets/x", "/Secret/x", "/", "", "//secret/x", "/sécret/x"])
def test_another_secret_is_refused(path: str):
    with pytest.raises(RefusedRequestError, match="whole address"):
        ACCESS.inner_path(path)


def test_the_path_after_the_secret():
    assert ACCESS.inner_path("/secret/page.js") == "page.js"
    assert ACCESS.inner_path("/secret/") == ""
    assert Access("http", "").inner_path("/page.js") == "page.js"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("0.0.0.0:80", "0.0.0.0", 80),
        (":9000", "127.0.0.1", 9000),
        ("pi.local", "pi.local", 8384),
        ("[::]:0", "::", 0),
        ("[::1]", "::1", 8384),
    ],
)
def test_where_to_listen(text: str, host: str, port: int):
    assert parse_listen(text) == ListenAddress(host, port)


@pytest.mark.parametrize(
    "text",
    ["1.2.3.4:65536", "h:p", "[::1", "[::1]x:1", "a:1:2", "http://pi:80", "me@pi", "h:-1", ".:1", "a..b", "a" * 64],
)
def test_other_texts_are_refused(text: str):
    with pytest.raises(SetupError, match=r"--web: found .*, expected HOST:PORT"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pi", False)]
)
def test_loopback(host: str, loopback: bool):
    assert ListenAddress(host).is_loopback is loopback


def test_the_address_that_others_reach():
    assert ListenAddress("192.168.1.7").reached_at() == "192.168.1.7"
    assert ListenAddress("::1").reached_at() == "[::1]"
    for everywhere in ("0.0.0.0", "::"):
        assert ListenAddress(everywhere).reached_at() not in ("0.0.0.0", "::", "[::]", "")


def test_a_port_that_is_taken():
    with ListenAddress(port=0).listen() as taken, pytest.raises(SetupError, match="already in use") as refused:
        ListenAddress(port=taken.getsockname()[1]).listen()
    assert "--web 127.0.0.1:8385" in str(refused.value)


def test_an_address_of_another_machine():
    with pytest.raises(SetupError, match=r"--web 192\.0\.2\.1:0: found Cannot assign requested address"):
        ListenAddress("192.0.2.1", 0).listen()


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    file = tmp_path / "state" / "web-token"
    secret = read_or_make_secret(file)
    assert len(secret) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_or_make_secret(file) == secret


def test_a_secret_that_others_could_read_is_none(tmp_path: Path):
    file = tmp_path / "web-token"
    read_or_make_secret(file)
    file.chmod(0o640)
    with pytest.raises(SetupError, match="found a file that others can read"):
        read_or_make_secret(file)


@pytest.mark.parametrize("content", [b"", b"short", b"../../x" * 10, b"\xff" * 40, b"a b" * 20])
def test_a_file_of_something_else(tmp_path: Path, content: bytes):
    file = tmp_path / "web-token"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SetupError, match="found no secret"):
        read_or_make_secret(file)


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"web-token: found Not a directory"):
        read_or_make_secret(tmp_path / "file" / "web-token")
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_a_folder_in_the_place_of_the_secret(tmp_path: Path):
    with pytest.raises(SetupError, match="found a folder, not a regular file"):
        read_or_make_secret(tmp_path)


def test_a_pipe_in_the_place_of_the_secret_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SetupError, match="found a named pipe, not a regular file"):
        read_or_make_secret(tmp_path / "pipe")


def test_a_link_to_nothing_is_refused_and_nothing_is_made_behind_it(tmp_path: Path):
    link = tmp_path / "web-token"
    link.symlink_to(tmp_path / "none")
    with pytest.raises(SetupError, match=r"web-token: found a link to a file that is not there, expected a file for"):
        read_or_make_secret(link)
    assert not (tmp_path / "none").exists()


def test_a_link_to_the_secret_is_followed(tmp_path: Path):
    secret = read_or_make_secret(tmp_path / "kept")
    (tmp_path / "web-token").symlink_to(tmp_path / "kept")
    assert read_or_make_secret(tmp_path / "web-token") == secret


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can make one")
def test_a_folder_in_which_nothing_can_be_made():
    with pytest.raises(SetupError, match=r"^/proc/none/web-token: found No such file or directory, expected"):
        read_or_make_secret(Path("/proc/none/web-token"))
