"""The ASGI application: the page's files, and a WebSocket for each viewer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from deseptr.contract import DeseptrError
from deseptr.contract.page_answers import KINDS, SAFE_HEADERS, RefusedRequestError
from deseptr.device.alarms.answers import Answers

from .access import Access
from .messages import Message
from .page_recorder import PageRecorder
from .requests import Rate, read_object
from .viewers import Viewer, Viewers

if TYPE_CHECKING:
    from .page_personal import PagePersonal

_START = "page.html"
_JSON = "application/json"
_PERSONAL = "personal/"
# WebSocket closing codes: RFC 6455, section 7.4.1, and its private range.
_POLICY = 1008
_TOO_MANY = 4001
# Of the page's own kind of pictures, which the labelling page draws with too.
_SHARED = ("canvas.js", "colours.js", "icon.svg")


class Application:
    """Answers requests.

    Args:
        access: who may ask.
        viewers: those who watch.
        beginning: the messages that a new viewer gets first.
        answers: takes what people answer to alarms.
        recorder: records takes; None if nobody may record from the page.
        personal: corrects the model for a wearer; None if nobody may personalise from the page.
    """

    def __init__(
        self,
        access: Access,
        viewers: Viewers,
        beginning: Callable[[], list[Message]],
        answers: Answers,
        recorder: PageRecorder | None = None,
        personal: PagePersonal | None = None,
    ) -> None:
        self._access = access
        self._rate = Rate()
        self._answers = answers
        self._recorder, self._personal = recorder, personal
        self._viewers = viewers
        self._beginning = beginning
        # Names are compared with these; no path is ever made of what was asked for.
        own = {each.name: each.read_bytes() for each in files(__package__).joinpath("page").iterdir()}
        shared = files("deseptr.data.label_page").joinpath("page")
        self._resources = own | {name: shared.joinpath(name).read_bytes() for name in _SHARED}
        self._resources[""] = self._resources[_START]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._watched(WebSocket(scope, receive, send))

    async def _answer(self, request: Request) -> Response:
        looks = request.method in ("GET", "HEAD")
        try:
            self._access.check_site(request.headers, changes=not looks)
            inner = self._access.inner_path(_path(request.scope))
            return self._look(inner) if looks else await self._change(request, inner)
        except RefusedRequestError as error:
            return _refusal(error.status, str(error))
        except DeseptrError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))

    def _look(self, inner: str) -> Response:
        folder, _, name = inner.partition("/")
        # Looked up among the takes of this run: no path is made of it.
        name = unquote(name)
        if folder == "takes" and self._recorder is not None and name in self._recorder.takes:
            return FileResponse(
                self._recorder.takes[name].path, headers=SAFE_HEADERS, media_type="text/csv", filename=name
            )
        if inner not in self._resources:
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
        return _response(self._resources[inner], KINDS[PurePath(inner or _START).suffix])

    async def _change(self, request: Request, what: str) -> Response:
        if request.method != "POST":
            raise RefusedRequestError(HTTPStatus.METHOD_NOT_ALLOWED, "there is nothing to change so")
        self._rate.count()
        content = await read_object(request)
        if what == "answer":
            self._answers.post("page")
        elif what == "record" and self._recorder is not None:
            label, subject = (str(content.get(name, "")) for name in ("label", "subject"))
            self._recorder.start(label, subject, content.get("seconds"))
        elif what == "stop" and self._recorder is not None:
            self._recorder.stop()
        elif self._personal is not None and what.startswith(_PERSONAL):
            return _response(encoded(_personalise(self._personal, what, content)).encode(), _JSON)
        else:
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
        return _response(b"{}", _JSON)

    async def _watched(self, socket: WebSocket) -> None:
        try:
            self._access.check_site(socket.headers, changes=True)
            if self._access.inner_path(_path(socket.scope)) != "live":
                raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
        except RefusedRequestError:
            # Before it is accepted, closing answers the request with 403.
            await socket.close(_POLICY)
            return
        viewer = self._viewers.join()
        await socket.accept()
        if viewer is None:
            await socket.close(_TOO_MANY, "too many viewers")
            return
        try:
            await self._talk(socket, viewer)
        finally:
            self._viewers.leave(viewer)

    async def _talk(self, socket: WebSocket, viewer: Viewer) -> None:
        sending = asyncio.ensure_future(self._send(socket, viewer))
        try:
            # The page has nothing to say: who sends something is not the page.
            with suppress(WebSocketDisconnect):
                # Text or bytes.
                if (await socket.receive())["type"] != "websocket.disconnect":
                    await socket.close(_POLICY)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await sending

    async def _send(self, socket: WebSocket, viewer: Viewer) -> None:
        await socket.send_text(encoded({"kind": "beginning", "messages": self._beginning()}))
        told = 0
        while True:
            text = await viewer.next()
            if viewer.dropped > told:
                told = viewer.dropped
                await socket.send_text(encoded({"kind": "dropped", "count": told}))
            await socket.send_text(text)


def _personalise(personal: PagePersonal, what: str, content: dict[str, Any]) -> dict[str, Any]:
    match what.removeprefix(_PERSONAL):
        case "begin":
            return {"operator": personal.begin(content)}
        case "act":
            personal.act(content.get("operator"), content.get("do"))
        case "wear":
            personal.wear(content.get("wearer"))
        case "undo":
            personal.undo(content.get("wearer"))
        case _:
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
    return {}


def encoded(message: Any) -> str:
    """A message as the page reads it."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _path(scope: Scope) -> str:
    # As it was sent, undecoded: nothing that the secret or a name consists of is ever escaped.
    return str(scope.get("raw_path", b"").decode("latin-1"))


def _refusal(status: int, reason: str) -> Response:
    return _response(json.dumps({"error": reason}).encode(), _JSON, status)


def _response(content: bytes, kind: str, status: int = HTTPStatus.OK) -> Response:
    return Response(content, status, {**SAFE_HEADERS, "Content-Type": kind})
