"""A real server: what it serves and to whom, and what hostile or slow others can do to it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from live_page_served import SECRET, Serve, Served, all_until_closed, beginning, received
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deseptr.contract import SetupError
from deseptr.device.alarms.answers import Answer, Answers
from deseptr.device.live_page import http_protocol
from deseptr.device.live_page.live_page import Tls
from deseptr.device.live_page.viewers import MOST_VIEWERS

FILES = (
    "page.html",
    "page.css",
    "page.js",
    "link.js",
    "run.js",
    "pictures.js",
    "words.js",
    "ask.js",
    "frames.js",
    "heat.js",
    "recording.js",
    "canvas.js",
    "colours.js",
    "icon.svg",
)


def test_the_page_and_its_files_ask_nobody_else(served: Served):
    total = 0
    for name in ("", *FILES):
        answer = served.get(name)
        assert answer.status == 200, name
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert b"//cdn" not in answer.content
        assert answer.content.replace(b"http://www.w3.org/2000/svg", b"").count(b"http://") == 0
        total += len(answer.content)
    assert total < 200_000


@pytest.mark.parametrize(
    "path", ["/", "/page.html", "/x/page.html", f"/{SECRET}x/", f"/{SECRET[:-1]}/", f"//{SECRET}/", "/%73/page.html"]
)
def test_without_the_secret_there_is_nothing(served: Served, path: str):
    answer = served.get(path=path)
    assert answer.status == 403
    assert SECRET.encode() not in answer.content


@pytest.mark.parametrize(
    "name",
    ["../page.html", "..%2fpage.html", "page.html%00", "/etc/passwd", "live", "page", "__init__.py", "x?page.js"],
)
def test_no_path_leads_elsewhere(served: Served, name: str):
    assert served.get(name).status in (400, 404)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Host": "evil.example"}, 403),
    ],
)
def test_requests_to_change_something_come_from_the_page(served: Served, headers: dict[str, str], status: int):
    assert served.post("answer", {}, **headers).status == status
    assert served.get(method="POST").status == 403


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"", 400),
        (b'"x"', 400),
        (b" " * 9000, 413),
        (b"{}", 200),
        (b"{}".ljust(8192), 200),
        (b"{}".ljust(8193), 413),
    ],
)
def test_bodies(served: Served, content: bytes, status: int):
    assert served.post("answer", content).status == status


@pytest.mark.parametrize("what", ["record", "stop", "answers", "", "../answer"])
def test_nobody_records_without_a_folder(served: Served, what: str):
    assert served.post(what, {"label": "a", "subject": "b"}).status == 404
    assert served.get("takes/b_a_1.csv").status == 404


def test_other_methods(served: Served):
    assert served.get("answer", method="PUT", Origin=f"http://{served.host}").status == 405
    assert served.get("answer").status == 404


def test_too_many_requests(served: Served):
    found = [served.post("answer", {}).status for _ in range(25)]
    assert found[:10] == [200] * 10
    assert 429 in found


def test_an_answer_reaches_the_run(serve: Serve):
    answers = Answers()
    assert serve(answers=answers).post("answer", {}).status == 200
    assert answers.take() == [Answer("page")]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_other_sites_are_refused(served: Served, headers: dict[str, str]):
    assert served.get(**headers).status == 403


@pytest.mark.parametrize("others", [{"origin": "http://evil.example"}, {"secret": "x" * 32}])
def test_other_sites_watch_nothing(served: Served, others: dict[str, str]):
    with pytest.raises(InvalidStatus, match="403"):
        served.watch(**others)


def test_a_viewer_is_told_what_was_and_what_comes(served: Served):
    served.window(1.0)
    served.samples(1.0)
    with served.watch() as socket:
        told = beginning(socket)
        assert told["about"][0]["labels"] == list(served.labels)
        assert told["about"][0]["sensor"] == "simulated mpu6050"
        assert len(told["window"]) == len(told["samples"]) == len(told["health"]) == 1
        served.window(2.0, served.labels[1])
        message = received(socket, "window")
        assert (message["at"], message["label"], message["p"]) == (2.0, served.labels[1], [0.0, 1.0])
        assert received(socket, "health")["windows"] == 2


# Codes of RFC 6455, section 7.4.1: a policy is violated, a message is too big.
@pytest.mark.parametrize(("content", "code"), [("{}", 1008), ("x" * 100_000, 1009), (b"\0" * 10, 1008)])
def test_who_says_something_is_not_the_page(served: Served, content: Any, code: int):
    with served.watch() as socket:
        beginning(socket)
        socket.send(content)
        with pytest.raises(ConnectionClosed) as closed:
            all_until_closed(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
    assert served.get().status == 200


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff" * 50,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000,
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_request(served: Served, content: bytes):
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        raw.sendall(content)
        assert raw.recv(1000).partition(b"\r\n")[0] in (b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 403 Forbidden", b"")
    assert served.get().status == 200


def test_frames_that_are_none(served: Served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        raw.sendall(
            f"GET /{SECRET}/live HTTP/1.1\r\nHost: {served.host}\r\nOrigin: http://{served.host}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 101")
        raw.sendall(b"\xff" * 1000)
        while raw.recv(65536):
            pass
    assert served.get().status == 200


def test_one_who_does_not_read_costs_the_others_nothing(served: Served):
    slow = socket.socket()
    # So that the system keeps little of what is not read.
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", served.port))
    with served.watch(sock=slow, max_queue=1, close_timeout=0.1) as stalled, served.watch() as other:
        beginning(stalled)
        beginning(other)
        for number in range(600):
            served.samples(10.0 * number, 500)
            if number % 50 == 49:
                told = [received(other, "samples")["at"] for _ in range(50)]
                assert told == [10.0 * each for each in range(number - 49, number + 1)]
        assert received(stalled, "dropped")["count"] > 0


def test_viewers_beyond_the_room_are_told_so(served: Served):
    with ExitStack() as watching:
        for _ in range(MOST_VIEWERS):
            watching.enter_context(served.watch())
        with served.watch() as late, pytest.raises(ConnectionClosed) as closed:
            late.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4001
    with served.watch() as socket:
        assert beginning(socket)["about"]


def test_connections_without_end_leave_the_descriptors_to_the_others(served: Served):
    mine = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(400)]
    # Refused connections end at once; the others wait for a request.
    time.sleep(0.5)
    assert len(served.page._server.server_state.connections) <= http_protocol.MOST_CONNECTIONS
    for each in mine:
        each.close()
    with served.watch() as watching:
        assert beginning(watching)["about"]


def test_a_connection_that_asks_for_nothing_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_protocol, "IDLE_S", 0.2)
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        raw.sendall(b"GET / HT")
        assert raw.recv(100) == b""


def test_the_run_ends_for_those_who_watch(serve: Serve):
    served = serve()
    with served.watch() as socket:
        beginning(socket)
        served.page.close()
        with pytest.raises(ConnectionClosed):
            all_until_closed(socket)


def test_a_new_run_at_the_same_port(serve: Serve):
    first = serve()
    first.page.close()
    second = serve(first.port)
    assert second.get().status == 200


def test_https(serve: Serve, tmp_path: Path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
         str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    served = serve(tls=Tls(certificate, key))
    trusted = ssl.create_default_context(cafile=certificate)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusted), urllib.request.ProxyHandler({}))
    with opener.open(f"https://127.0.0.1:{served.port}/{SECRET}/", timeout=10) as answer:
        assert b"deseptr device run" in answer.read()


def test_a_certificate_that_is_none(serve: Serve, tmp_path: Path):
    (tmp_path / "c.pem").write_text("no certificate")
    with pytest.raises(SetupError, match=r"c.pem: found .*, expected a certificate and its private key in PEM"):
        serve(tls=Tls(tmp_path / "c.pem", tmp_path / "c.pem"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SetupError, match="found a named pipe, not a regular file, expected a certificate"):
        serve(tls=Tls(tmp_path / "c.pem", tmp_path / "pipe"))
