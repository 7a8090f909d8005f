"""Targets that anybody on the network or in the browser may send to: the live page, the labelling page."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import re
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import h11
import mutators
from target import Target

SECRET = "s" * 32
SITE = b"Host: localhost:8384\r\nOrigin: http://localhost:8384\r\n"
JSON = b"Content-Type: application/json\r\n"
# Of a body that says how long it is: requests are changed without it, so that a longer one still is one.
LENGTH = re.compile(rb"Content-Length: \d+\r\n")


class AnsweredError(Exception):
    """The answer is a refusal, with this reason."""


def pages() -> Iterator[Target]:
    """All of them."""
    seeds = tuple(
        _request(b"POST", what, json.dumps(content).encode())
        for what, content in (
            (b"record", {"label": "walking", "subject": "eve", "seconds": 5}),
            (b"answer", {}),
            (b"stop", {}),
            (
                b"personal/begin",
                {"wearer": "eve", "prepare": 3, "steps": [["walking", 10], ["sitting", 10.5], ["cycling", 30]]},
            ),
            (b"personal/act", {"operator": "0123abcd.x", "do": "start"}),
            (b"personal/wear", {"wearer": "eve"}),
            (b"personal/undo", {"wearer": "eve"}),
        )
    )
    looks = tuple(_request(b"GET", what) for what in (b"", b"page.js", b"takes/eve_walking_1.csv"))
    yield Target("live page", _ask_live, (*seeds, *looks), of_request, (AnsweredError,))
    said = [[], [{"text": "hello"}, {"code": 1001}], [{"bytes": "00ff"}], [{"code": 1001}, {"text": "more"}]]
    frames = tuple(json.dumps(each).encode() for each in said)
    yield Target("live page, WebSocket", _watch_live, frames, mutators.of_json, (AnsweredError,))
    answers = (
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    )
    yield Target("answer of a webhook", _take_alarm, answers, of_request, (AnsweredError,))
    labels = _labels()
    asked = (*(_request(b"POST", what, labels) for what in (b"keep", b"save")), _request(b"GET", b"state"))
    signals = _request(b"GET", b"signals/0")
    yield Target("labelling page", _ask_labels, (*asked, signals), of_request, (AnsweredError,))


def _request(method: bytes, what: bytes, body: bytes = b"") -> bytes:
    head = method + b" /" + SECRET.encode() + b"/" + what + b" HTTP/1.1\r\n" + SITE
    if method == b"POST":
        head += JSON + b"Content-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


def of_request(rng: random.Random, content: bytes) -> bytes:
    """A change of the body, mostly with its new length, or of the head."""
    head, blank, body = content.partition(b"\r\n\r\n")
    if body and rng.random() < 0.7:
        body = mutators.of_json(rng, body)
        if rng.random() < 0.95:
            head = LENGTH.sub(b"Content-Length: %d\r\n" % len(body), head + b"\r\n").removesuffix(b"\r\n")
    else:
        head = (mutators.of_bytes if rng.random() < 0.3 else mutators.of_text)(rng, head)
    return head + blank + body


def _ask_live(content: bytes) -> object:
    """What the server of the page makes of the bytes on a connection: h11 reads them for it, as here."""
    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(content)
        connection.receive_data(b"")
        asked = connection.next_event()
        body = b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError as error:
        raise AnsweredError("no HTTP") from error
    if not isinstance(asked, h11.Request):
        raise AnsweredError("no request")
    path = asked.target.partition(b"?")[0]
    scope = {
        "type": "http",
        "method": asked.method.decode(),
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": b"",
        "headers": [(bytes(name), bytes(value)) for name, value in asked.headers],
    }
    sent = _served(scope, [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}])
    status = sent[0]["status"]
    if status >= 500:
        raise AssertionError(f"the server fails: {status}")
    answer = b"".join(message.get("body", b"") for message in sent[1:])
    if status >= 400:
        raise AnsweredError(json.loads(answer)["error"])
    assert path.startswith(f"/{SECRET}/".encode()), "without the secret"
    return answer


def _watch_live(content: bytes) -> object:
    """Messages of a viewer, who has none to send: the connection is closed, and everybody else stays."""
    frames = mutators.parsed(content)
    messages: list[dict[str, Any]] = [{"type": "websocket.connect"}]
    for frame in frames if isinstance(frames, list) else ():
        kind, value = next(iter(frame.items()), ("", "")) if isinstance(frame, dict) else ("text", frame)
        if kind == "code":
            messages.append({"type": "websocket.disconnect", "code": value if isinstance(value, int) else 1006})
        elif kind == "bytes":
            messages.append({"type": "websocket.receive", "bytes": str(value).encode("utf-8", "replace")})
        else:
            messages.append({"type": "websocket.receive", "text": str(value)})
    messages.append({"type": "websocket.disconnect", "code": 1006})
    headers = [(b"host", b"localhost:8384"), (b"origin", b"http://localhost:8384")]
    sent = _served({"type": "websocket", "raw_path": f"/{SECRET}/live".encode(), "headers": headers}, messages)
    assert sent[0]["type"] == "websocket.accept"
    return sent


def _served(scope: dict[str, Any], messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the application sends in answer to a scope's messages (ASGI 3)."""
    from deseptr.device import Answers
    from deseptr.device.live_page.access import Access
    from deseptr.device.live_page.application import Application
    from deseptr.device.live_page.page_personal import PagePersonal
    from deseptr.device.live_page.page_recorder import PageRecorder
    from deseptr.device.live_page.viewers import Viewers

    sent: list[dict[str, Any]] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    with tempfile.TemporaryDirectory() as folder:
        recorder = PageRecorder(Path(folder) / "takes", "mpu6050", lambda state: None)
        personal = PagePersonal(_wearing(Path(folder) / "wearers"), "mpu6050", lambda state: None)
        viewers = Viewers()
        application: Callable[..., Awaitable[None]] = Application(
            Access("http", SECRET), viewers, list, Answers(), recorder, personal
        )
        try:
            asyncio.run(application(scope, receive, send))  # type: ignore[arg-type]
            json.dumps(personal.state(), allow_nan=False)
        finally:
            recorder.close()
            personal.close()
        assert not len(viewers)
    return sent


def _wearing(folder: Path) -> Any:
    from deseptr.contract import DecisionConfig
    from deseptr.device.live_page.wearing import Wearing
    from deseptr.device.personal.switch import WearerSwitch

    engine = _engine()
    return Wearing(folder, engine.model, lambda: engine, WearerSwitch(engine, lambda contract: DecisionConfig()))


@cache
def _engine() -> Any:
    from deseptr.device import default_model
    from deseptr.tflite import load_engine

    return load_engine(default_model())


def _take_alarm(content: bytes) -> object:
    """What becomes of an alarm for which a receiver has this answer."""
    from deseptr.device.sinks.delivery import AlarmMessage, DeliveryError
    from deseptr.device.sinks.http_post import LONGEST_RETRY_AFTER_S, HttpPost, parse_endpoint

    ours, theirs = socket.socketpair()
    with theirs:
        _send(theirs, content)
        connection = http.client.HTTPConnection("localhost", timeout=1)
        connection.sock = ours
        post = HttpPost(parse_endpoint("http://localhost/alarm", "--webhook"))
        post._connect = lambda: connection  # type: ignore[method-assign]
        try:
            return post.deliver(AlarmMessage("1f", b"{}"))
        except DeliveryError as error:
            if not 0 <= error.retry_after_s <= LONGEST_RETRY_AFTER_S:
                raise AssertionError(f"it would wait for {error.retry_after_s} s") from error
            raise AnsweredError(str(error)) from error


def _labels() -> bytes:
    store = _store(Path("walk.npz"))
    return json.dumps({**store.labelling.to_json(), "revision": 0}).encode()


def _store(out: Path) -> Any:
    from deseptr.data import synthetic_dataset
    from deseptr.data.label_page import LabelStore

    return LabelStore(synthetic_dataset(subjects=1, seconds=2.0), out)


def _ask_labels(content: bytes) -> object:
    """What the server of the labelling page answers to the bytes on a connection."""
    from deseptr.data.label_page import LabelServer

    with tempfile.TemporaryDirectory() as folder:
        server = LabelServer(_store(Path(folder) / "walk.npz"))
        try:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                _send(ours, _addressed(content, server))
                server._server.finish_request(theirs, ("127.0.0.1", 1))
                theirs.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: ours.recv(1 << 16), b""))
        finally:
            server.close()
    if not answer.startswith(b"HTTP/1."):
        raise AnsweredError("nothing, or in HTTP 0.9")
    status = int(answer.split(b" ", 2)[1])
    if status in (500, 502):
        raise AssertionError(f"the server fails: {answer[:300]!r}")
    if status >= 400:
        raise AnsweredError(json.loads(answer.rpartition(b"\r\n\r\n")[2])["error"])
    return answer


def _addressed(content: bytes, server: Any) -> bytes:
    """The request with the address of this server."""
    secret = server.url.rstrip("/").rpartition("/")[2].encode()
    site = f"127.0.0.1:{server.port}".encode()
    return content.replace(SECRET.encode(), secret).replace(b"localhost:8384", site)


def _send(connection: socket.socket, content: bytes) -> None:
    # More than a connection holds would have to be sent while it is answered.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    connection.setblocking(False)
    try:
        connection.send(content)
    finally:
        connection.setblocking(True)
        connection.shutdown(socket.SHUT_WR)
