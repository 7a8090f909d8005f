"""A page served by a real server, and what is said to it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from websockets.sync.client import ClientConnection, connect

from deseptr.contract import CHANNELS, ModelContract
from deseptr.device import Profiler, WindowEvent
from deseptr.device.drained import Drained
from deseptr.device.live_page import Access, ListenAddress
from deseptr.device.live_page.live_page import LivePage, Tls

SECRET = "s" * 32
CONTRACT = ModelContract(labels=("still", "<b onclick=alert(1)>walking"))


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    content: bytes


class Served:
    """A page, and requests to it as a browser makes them but for what a test changes.

    Args:
        page: the page.
        port: where it is served.
        labels: of the model.
    """

    def __init__(self, page: LivePage, port: int, labels: tuple[str, ...]) -> None:
        self.page, self.port, self.labels = page, port, labels
        self.host = f"127.0.0.1:{port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/{SECRET}/"

    def get(self, what: str = "", *, path: str | None = None, method: str = "GET", **headers: str) -> Answer:
        return self._ask(method, path or f"/{SECRET}/{what}", b"", {"Host": self.host} | headers)

    def post(self, what: str, content: Any, **headers: str) -> Answer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        own = {"Host": self.host, "Origin": f"http://{self.host}", "Content-Type": "application/json"}
        own["Content-Length"] = str(len(body))
        sent = own | {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask("POST", f"/{SECRET}/{what}", body, sent)

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return found

    def watch(self, secret: str = SECRET, origin: str | None = None, **options: Any) -> ClientConnection:
        origin = origin or f"http://{self.host}"
        return connect(f"ws://{self.host}/{secret}/live", origin=origin, proxy=None, **options)

    def window(self, t: float, label: str | None = None) -> None:
        """Let the page show a window of a label."""
        label = label or self.labels[0]
        shares = {each: float(each == label) for each in self.labels}
        self.page.take(WindowEvent(t, label, 1.0, shares, 300.0, round(t * 50)))

    def samples(self, t: float, count: int = 50, value: float = 1.0) -> None:
        """Let the page show samples."""
        self.page.drained(Drained(t, np.full((count, 6), value, np.float32), CHANNELS, 50.0))


Serve = Callable[..., Served]


@contextmanager
def pages() -> Iterator[Serve]:
    """A function that serves a page, on a free port if none is named, until the block ends."""
    made: list[LivePage] = []

    def start(port: int = 0, of: ModelContract = CONTRACT, tls: Tls | None = None, **options: Any) -> Served:
        listening = ListenAddress(port=port).listen()
        access = Access("https" if tls else "http", SECRET)
        profiler = options.pop("profiler", None) or Profiler()
        page = LivePage(of, profiler, access, listening, sensor="simulated mpu6050", tls=tls, **options)
        made.append(page)
        return Served(page, listening.getsockname()[1], of.labels)

    yield start
    for page in made:
        page.close()


def received(socket: ClientConnection, kind: str, timeout: float = 10.0) -> Any:
    """The next message of a kind."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        message = json.loads(socket.recv(timeout))
        if message["kind"] == kind:
            return message
    raise TimeoutError(kind)


def all_until_closed(socket: ClientConnection) -> None:
    """Read until the server closes; what it raises then is raised."""
    while True:
        socket.recv(10)


def beginning(socket: ClientConnection) -> dict[str, list[Any]]:
    """What a viewer is told first, by kind."""
    found: dict[str, list[Any]] = {}
    for message in received(socket, "beginning")["messages"]:
        found.setdefault(message["kind"], []).append(message)
    return found
