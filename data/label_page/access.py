"""Who may ask the server what: nobody without its secret, no page of another site, nothing large.

A browser lets any site send requests to 127.0.0.1, and read answers where the site's own name was made to mean
127.0.0.1 (DNS rebinding). Hence the secret in the path, and the checks of ``Host`` and ``Origin``.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus

from deseptr.contract.page_answers import RefusedRequestError

LARGEST_BODY = 1 << 22


@dataclass(frozen=True)
class Access:
    """The rules of one server.

    Args:
        port: where it listens.
        secret: first part of every path.
    """

    port: int
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def check_site(self, headers: Message[str, str], *, changes: bool) -> None:
        """Refuse requests for another host, or from the page of another site.

        Args:
            headers: of the request.
            changes: whether the request changes something; then a browser names the page's origin.

        Raises:
            RefusedRequestError: 403.
        """
        hosts = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        if headers.get("Host") not in hosts:
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, f"this is {hosts[0]}, not another host")
        origin = headers.get("Origin")
        if (changes or origin is not None) and origin != f"http://{headers['Host']}":
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "only this server's own page may ask")
        followed = headers.get("Sec-Fetch-Mode") == "navigate" and not changes  # a link, as in a terminal in a browser
        if not followed and headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "only this server's own page may ask")

    def inner_path(self, path: str) -> str:
        """What follows the secret in a path.

        Raises:
            RefusedRequestError: 403 if the secret is another one.
        """
        _, _, rest = path.partition("/")
        secret, _, inner = rest.partition("/")
        if not hmac.compare_digest(secret.encode(), self.secret.encode()):
            reason = "this is not the address that `deseptr data label` printed; a new start has a new one"
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, reason)
        return inner

    def body_length(self, headers: Message[str, str]) -> int:
        """Number of bytes of a JSON body.

        Raises:
            RefusedRequestError: 411, 413 or 415.
        """
        length = headers.get("Content-Length", "")
        if "Transfer-Encoding" in headers or not (length.isascii() and length.isdecimal()):
            raise RefusedRequestError(HTTPStatus.LENGTH_REQUIRED, "a body needs its length")
        if len(length) > 12 or int(length) > LARGEST_BODY:
            raise RefusedRequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST_BODY:,} bytes of labels"
            )
        if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            raise RefusedRequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a body is JSON")
        return int(length)
