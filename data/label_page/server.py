"""An HTTP server for one browser on this machine: the page, the signals, the labels, and the requests to keep them."""

from __future__ import annotations

import json
import secrets
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from deseptr.contract import DataError, DeseptrError, SetupError, parse_json
from deseptr.contract.page_answers import KINDS, SAFE_HEADERS, RefusedRequestError

from .access import Access
from .conversation import Conversation
from .store import ChangedElsewhereError, LabelStore

_HOST = "127.0.0.1"
_JSON = "application/json"
_START = "page.html"
# A person types and drags; a connection that says nothing for so long is given up.
_TIMEOUT_S = 30.0


class LabelServer:
    """Serves a store's labels on 127.0.0.1.

    Args:
        store: the labels.
        port: where to listen; 0 is any free port.

    Raises:
        SetupError: if the port is taken or not allowed.
    """

    def __init__(self, store: LabelStore, port: int = 0) -> None:
        self._conversation = Conversation(store)
        try:
            self._server = _Server((_HOST, port), _Handler)
        except OSError as error:
            raise SetupError(
                f"port {port}", found=error.strerror, expected="a port to listen at", next_step="choose another --port"
            ) from error
        self.port: int = self._server.server_address[1]
        self._access = Access(self.port)
        self._server.answers = _Answers(self._conversation, self._access)

    @property
    def url(self) -> str:
        """Address of the page, with the secret in it."""
        return f"http://{_HOST}:{self.port}/{self._access.secret}/"

    def opening_url(self) -> str:
        """An address that leads to the page once.

        The command line of a browser can be seen by everybody on the machine, so that it must not have the secret.
        """
        key = secrets.token_urlsafe(24)
        self._server.answers.opening_key = key
        return f"http://{_HOST}:{self.port}/{key}"

    def serve_forever(self) -> None:
        """Answer until :meth:`close` is called by another thread, or an exception such as Ctrl-C ends it."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> LabelStore:
        """End, once nothing is being written any more; the store as it is then."""
        self._server.shutdown_if_serving()
        store = self._conversation.finish()
        self._server.server_close()
        return store


class _Answers:
    """What is answered to which path."""

    def __init__(self, conversation: Conversation, access: Access) -> None:
        self.access = access
        self.opening_key: str | None = None
        self._lock = threading.Lock()
        self._conversation = conversation
        # Names are compared with these; no path is ever made of what was asked for.
        self._resources = {each.name: each.read_bytes() for each in files(__package__).joinpath("page").iterdir()}
        self._resources[""] = self._resources[_START]
        self._changes: dict[str, Callable[[Any], dict[str, Any]]] = {
            "save": conversation.save,
            "keep": conversation.keep,
        }

    def opens(self, path: str) -> bool:
        """Whether a path is the one that leads to the page; it is so once."""
        with self._lock:
            if self.opening_key is None or not secrets.compare_digest(path.encode(), f"/{self.opening_key}".encode()):
                return False
            self.opening_key = None
            return True

    def get(self, path: str) -> tuple[str, bytes]:
        """Content type and content of what can be looked at."""
        inner = self.access.inner_path(path)
        if inner in self._resources:
            return KINDS[PurePath(inner or _START).suffix], self._resources[inner]
        if inner == "state":
            return _JSON, _json(self._conversation.state())
        folder, _, index = inner.partition("/")
        try:
            if folder == "signals":
                return "application/octet-stream", self._conversation.signals(index)
        except KeyError:
            pass
        raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")

    def change(self, path: str) -> Callable[[Any], dict[str, Any]]:
        """What a request to change something calls."""
        inner = self.access.inner_path(path)
        if inner not in self._changes:
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
        return self._changes[inner]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: _Answers
    _serving = False

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        self._serving = True
        try:
            super().serve_forever(poll_interval)
        finally:
            self._serving = False

    def shutdown_if_serving(self) -> None:
        if self._serving:
            self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error; anything else is shown as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        """Answer what can be looked at."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Answer requests to change something."""
        self._answer(self._post)

    def version_string(self) -> str:
        """Name of the server, without versions."""
        return "deseptr"

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Requests are not logged: the secret is in their paths."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what cannot be understood, in text that repeats nothing of it."""
        self._refuse(HTTPStatus(code), HTTPStatus(code).phrase)

    def _answer(self, answer: Callable[[_Answers], None]) -> None:
        try:
            answer(self.server.answers)
        except RefusedRequestError as error:
            self._refuse(error.status, str(error))
        except ChangedElsewhereError as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
        except DataError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except DeseptrError as error:
            self._refuse(HTTPStatus.INSUFFICIENT_STORAGE, str(error))

    def _get(self, answers: _Answers) -> None:
        answers.access.check_site(self.headers, changes=False)
        if answers.opens(self.path):
            self._send(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": f"/{answers.access.secret}/"})
            return
        kind, content = answers.get(self.path)
        self._send(HTTPStatus.OK, kind, content)

    def _post(self, answers: _Answers) -> None:
        headers = self.headers
        answers.access.check_site(headers, changes=True)
        change = answers.change(self.path)
        body = self.rfile.read(answers.access.body_length(headers))
        try:
            content = parse_json(body)
        except ValueError as error:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "a body is JSON") from error
        self._send(HTTPStatus.OK, _JSON, _json(change(content)))

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        # Whatever follows on this connection may be the rest of a body that was not read.
        self.close_connection = True
        self._send(status, _JSON, _json({"error": reason}), {"Connection": "close"})

    def _send(self, status: HTTPStatus, kind: str, content: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (SAFE_HEADERS | (more or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
