"""The server answers its own page only, and keeps what that sends."""

import http.client
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from deseptr.contract import SetupError
from deseptr.data import Dataset, load_dataset
from deseptr.data.label_page import LabelServer, LabelStore
from deseptr.data.label_page.access import LARGEST_BODY

LABELS = {"names": ["walking"], "segments": [[[10, 50, 0]], []]}
OTHERS = ("http://evil.example", "http://127.0.0.1:1", "http://localhost", "null", "https://127.0.0.1:{port}", "")


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


Ask = Callable[..., Answer]


@pytest.fixture
def server(data: Dataset, serve: Callable[[Dataset], LabelServer]) -> LabelServer:
    return serve(data)


@pytest.fixture
def ask(server: LabelServer) -> Ask:
    """Send a request as the page does, but for what a test changes; a header of None is left out."""
    own = f"http://127.0.0.1:{server.port}"
    secret = server.url.removeprefix(own)

    def send(what: str, body: Any = None, *, path: str | None = None, **headers: str | None) -> Answer:
        sent: dict[str, str | None] = {"Host": own.removeprefix("http://")}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent |= {"Origin": own, "Content-Type": "application/json", "Content-Length": str(len(content))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.putrequest("GET" if body is None else "POST", path or secret + what, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value.format(port=server.port))
        connection.endheaders(content)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return found

    return send


def test_page_and_all_that_it_names_are_served_and_nothing_of_others(ask: Ask):
    page = ask("")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for name in ("page.css", "page.js", "icon.svg", "segments.js"):
        assert ask(name).status == 200, name
    text = page.content.decode()
    assert "http:" not in text
    assert "https:" not in text
    assert "style=" not in text
    assert "<script>" not in text


def test_every_answer_forbids_what_the_page_does_not_need(ask: Ask):
    for answer in (ask(""), ask("state"), ask("nothing"), ask("save", LABELS, Origin="http://evil.example")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Server"] == "deseptr"


def test_signals_are_those_of_the_recording(ask: Ask, data: Dataset):
    values = np.frombuffer(ask("signals/1").content, "<f4").reshape(6, 200)
    np.testing.assert_array_equal(values.T, data.recordings[1].signals)


@pytest.mark.parametrize(
    "path", ["/", "/state", "/x/state", "//state", "/../state", "/{secret}x/state", "/{short}/state"]
)
def test_without_its_secret_nothing_is_told(server: LabelServer, ask: Ask, path: str):
    secret = server.url.split("/")[3]
    refused = ask("", path=path.format(secret=secret, short=secret[:-1]))
    assert refused.status == 403
    assert list(refused.json) == ["error"]


@pytest.mark.parametrize(
    "what",
    [
        *("../../etc/passwd", "..%2fserver.py", "page/page.js", "./page.js", "%70age.js", "__init__.py", "page.js?x"),
        *(
            "signals/2",
            "signals/-1",
            "signals/0/..",
            "signals/1e0",
            "signals/",
            "signals/%C2%B2",
            "signals/" + "0" * 99,
        ),
    ],
)
def test_there_is_nothing_but_the_page_and_its_data(ask: Ask, what: str):
    assert ask(what).status == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", None])
def test_another_host_is_refused(ask: Ask, host: str | None):
    """A site whose name was made to mean 127.0.0.1 has the browser send that name."""
    assert ask("state", Host=host).status == 403
    assert ask("save", {**LABELS, "revision": 0}, Host=host, Origin=f"http://{host}").status == 403


@pytest.mark.parametrize("origin", [*OTHERS, None])
def test_another_sites_page_changes_nothing(server: LabelServer, ask: Ask, tmp_path: Path, origin: str | None):
    assert ask("save", {**LABELS, "revision": 0}, Origin=origin).status == 403
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("origin", OTHERS)
def test_another_sites_page_is_told_nothing(ask: Ask, origin: str):
    assert ask("state", Origin=origin).status == 403


def test_a_request_that_the_browser_names_as_anothers_is_refused(ask: Ask):
    assert ask("state", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert ask("state", Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors").status == 403
    assert ask("", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    navigated = ask("save", {**LABELS, "revision": 0}, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert navigated.status == 403


def test_localhost_is_this_host(ask: Ask):
    assert ask("state", Host="localhost:{port}").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Length": str(LARGEST_BODY + 1)}, 413),
        ({"Content_Length": "9" * 40}, 413),
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": "0x10"}, 411),
        ({"Content_Length": None}, 411),
        ({"Transfer_Encoding": "chunked"}, 411),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": None}, 415),
    ],
)
def test_a_body_is_json_of_a_known_and_bounded_length(ask: Ask, headers: dict[str, str], status: int):
    refused = ask("save", {**LABELS, "revision": 0}, **headers)
    assert refused.status == status
    assert refused.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 5000, b"NaN", b"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"]
)
def test_a_broken_body_is_refused_in_words(ask: Ask, tmp_path: Path, body: bytes):
    refused = ask("save", body)
    assert refused.status in (400, 409)
    assert refused.json["error"]
    assert list(tmp_path.iterdir()) == []


def test_labels_are_saved(ask: Ask, tmp_path: Path):
    saved = ask("save", {**LABELS, "revision": 0}).json
    assert saved["revision"] == 1
    assert (saved["saved"]["segments"], saved["saved"]["unlabelled_s"]) == (1, 7.2)
    (first, second) = load_dataset(tmp_path / "walk.labelled.npz").recordings
    assert [tuple(s) for s in first.segments()] == [(0, 10, -1), (10, 50, 0), (50, 200, -1)]
    assert [tuple(s) for s in second.segments()] == [(0, 200, -1)]


def test_a_name_is_text_whatever_it_looks_like(ask: Ask, tmp_path: Path):
    name = "<script>alert(1)</script>"
    assert ask("save", {**LABELS, "names": [name], "revision": 0}).status == 200
    assert ask("state").json["labels"]["names"] == [name]
    assert ask("state").headers["Content-Type"] == "application/json"
    assert load_dataset(tmp_path / "walk.labelled.npz").label_names == (name,)


def test_labels_are_kept_until_they_are_saved(ask: Ask, tmp_path: Path):
    ask("keep", {**LABELS, "revision": 0})
    assert [each.name for each in tmp_path.iterdir()] == ["walk.labelled.npz.unsaved.json"]
    assert ask("state").json["unsaved"] == LABELS
    ask("save", {**LABELS, "revision": 1})
    assert [each.name for each in tmp_path.iterdir()] == ["walk.labelled.npz"]
    assert ask("state").json["unsaved"] is None


def test_labels_that_are_saved_already_leave_nothing_to_keep(ask: Ask, tmp_path: Path):
    ask("save", {**LABELS, "revision": 0})
    ask("keep", {"names": ["walking"], "segments": [[], []], "revision": 1})
    ask("keep", {**LABELS, "revision": 2})
    assert [each.name for each in tmp_path.iterdir()] == ["walk.labelled.npz"]


def test_another_name_is_another_label(ask: Ask):
    ask("save", {**LABELS, "revision": 0})
    renamed = {**LABELS, "names": ["running"]}
    ask("keep", {**renamed, "revision": 1})
    assert ask("state").json["unsaved"] == renamed


@pytest.mark.parametrize("what", ["save", "keep"])
def test_of_two_windows_the_second_overwrites_nothing(ask: Ask, tmp_path: Path, what: str):
    ask("save", {**LABELS, "revision": 0})
    before = (tmp_path / "walk.labelled.npz").read_bytes()
    late = ask(what, {"names": [], "segments": [[], []], "revision": 0})
    assert late.status == 409
    assert "another window" in late.json["error"]
    assert (tmp_path / "walk.labelled.npz").read_bytes() == before


def test_looking_changes_nothing(ask: Ask, tmp_path: Path):
    for what in ("save", "keep"):
        assert ask(what).status == 404
    assert list(tmp_path.iterdir()) == []


def test_a_disk_in_trouble_is_told(ask: Ask, tmp_path: Path):
    (tmp_path / "walk.labelled.npz").mkdir()
    refused = ask("save", {**LABELS, "revision": 0})
    assert refused.status in (409, 507)
    assert "walk.labelled.npz" in refused.json["error"]


def test_the_address_for_the_browsers_command_line_leads_to_the_page_once(server: LabelServer, ask: Ask):
    opening = server.opening_url()
    assert server.url.split("/")[3] not in opening
    path = opening.removeprefix(f"http://127.0.0.1:{server.port}")
    first = ask("", path=path)
    assert (first.status, first.headers["Location"]) == (
        303,
        server.url.removeprefix(f"http://127.0.0.1:{server.port}"),
    )
    assert ask("", path=path).status == 403


def test_it_listens_at_one_address_only(server: LabelServer):
    """A server at all addresses of a machine would be there as well."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_a_port_that_is_taken_is_one_line_of_error(server: LabelServer, data: Dataset, tmp_path: Path):
    with pytest.raises(SetupError, match="choose another --port"):
        LabelServer(LabelStore(data, tmp_path / "other.npz"), server.port)


def test_garbage_is_answered_without_being_repeated(server: LabelServer):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"<script> / HTTP/9\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert b"<script>" not in answer
