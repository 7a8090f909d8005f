"""Requests that change something: small JSON, from the page itself, and not too many of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request

from deseptr.contract import parse_json
from deseptr.contract.page_answers import RefusedRequestError

# Of a session of twenty activities whose names are long.
LARGEST_BODY = 8192
LONGEST_S = 10.0
_A_SECOND = 5.0
_AT_ONCE = 10.0


class Rate:
    """A number of requests a second, of which some may come at once (a token bucket).

    Args:
        now: a monotonic clock, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left, self._at = _AT_ONCE, now()

    def count(self) -> None:
        """Count a request.

        Raises:
            RefusedRequestError: 429 if there were too many.
        """
        now = self._now()
        self._left = min(_AT_ONCE, self._left + (now - self._at) * _A_SECOND)
        self._at = now
        if self._left < 1:
            raise RefusedRequestError(HTTPStatus.TOO_MANY_REQUESTS, "too many requests; wait a second")
        self._left -= 1


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request.

    Raises:
        RefusedRequestError: 400, 413 or 415 if it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedRequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a body is JSON")
    try:
        async with asyncio.timeout(LONGEST_S):
            body = await _body(request)
    except TimeoutError as error:
        raise RefusedRequestError(HTTPStatus.REQUEST_TIMEOUT, "a body that does not end") from error
    try:
        content = parse_json(body)
    except ValueError as error:
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "a body is JSON") from error
    if not isinstance(content, dict):
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "a body is an object")
    return content


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise RefusedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST_BODY} bytes")
    return body
