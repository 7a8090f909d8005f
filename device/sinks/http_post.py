"""One HTTP POST to one address, signed, with an end in bounded time.

Signatures are those of Standard Webhooks (https://www.standardwebhooks.com, version 1): the headers ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature``, the last being ``v1,`` and the base64 of an HMAC-SHA256 over
``id.timestamp.body``. ``Idempotency-Key`` has the id again, under the name of the IETF's draft.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deseptr.contract import SetupError, check_input

from .delivery import AlarmMessage, DeliveryError

TIMEOUT_S = 10.0
# A receiver that asks for more is asked again all the same.
LONGEST_RETRY_AFTER_S = 600.0
# Answers to a request that may be right later, by whatever request: the receiver's trouble, not the message's.
AWAY = (408, 425, 429)
SECRET_PREFIX = "whsec_"  # nosec B105 # the mark of a secret


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that takes POSTs.

    Args:
        host: name or IP address.
        port: TCP port.
        path: with the query; may hold a secret, so that no message repeats it.
        tls: whether the connection is encrypted, and the certificate checked.
    """

    host: str
    port: int
    path: str = field(repr=False)
    tls: bool

    @property
    def name(self) -> str:
        """Its name in messages."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


def parse_endpoint(text: str, option: str) -> Endpoint:
    """Parse ``http[s]://HOST[:PORT]/PATH``.

    Raises:
        SetupError: if the text has another form; the message repeats neither path nor user.
    """
    try:
        url = urlsplit(text)
        host, port = (url.hostname or "").encode("idna").decode(), url.port
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        path.encode("ascii")
    except ValueError:
        host = ""
    if not host or url.scheme not in ("http", "https") or "@" in url.netloc or " " in path:
        raise SetupError(
            option,
            found="another kind of address",
            expected="https://HOST[:PORT]/PATH, without a user, its special characters as %XX",
            next_step="correct it",
        )
    return Endpoint(host, port or (443 if url.scheme == "https" else 80), path, url.scheme == "https")


def secret_of(text: str, source: object) -> bytes:
    """The key of a secret: base64 after ``whsec_``, as Standard Webhooks has it, else the text itself.

    Raises:
        SetupError: if what follows ``whsec_`` is no base64, or the secret is shorter than 16 bytes.
    """
    try:
        key = (
            base64.b64decode(text[len(SECRET_PREFIX) :], validate=True)
            if text.startswith(SECRET_PREFIX)
            else text.encode()
        )
    except ValueError:
        key = b""
    if len(key) < 16:
        raise SetupError(
            source,
            found="a secret that is too short or no base64",
            expected="16 bytes or more, as text or as whsec_ and base64",
            next_step="make one with `openssl rand -hex 24`, and give it to the receiver too",
        )
    return key


def signature_of(key: bytes, identity: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature`` of a body.

    >>> signature_of(b"0123456789abcdef", "msg", 1700000000, b"{}")
    'v1,fRm5GeGiVJLpdYAXYpjFrAfXjV1Mjs+2psf60FCTBrw='
    """
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class HttpPost:
    """Posts bodies to an endpoint, each over a connection of its own.

    Args:
        endpoint: the address.
        key: signs them; None for no signature.
        ca: certificates to trust, a PEM file; the system's if None.
        option: of the command line that names that file.
        timeout_s: time for the connection, for each answer of the network, and for the whole, seconds.
        wall: gives seconds since 1970.

    Raises:
        SetupError: if the certificates cannot be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: bytes | None = None,
        ca: Path | None = None,
        *,
        option: str = "--webhook-ca",
        timeout_s: float = TIMEOUT_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._timeout_s = timeout_s
        self._wall = wall
        self._context = _context(ca, option) if endpoint.tls else None
        self._connection: http.client.HTTPConnection | None = None

    @property
    def name(self) -> str:
        """The receiver's name in messages."""
        return f"webhook {self._endpoint.name}"

    def deliver(self, message: AlarmMessage) -> None:
        """Post a message once; an answer of 200 to 299 means that it was taken.

        Raises:
            DeliveryError: if there is another answer or none.
        """
        connection = self._connect()
        self._connection = connection
        # A receiver that gives a byte now and then would keep each wait for the network short, and all of it endless.
        watchdog = threading.Timer(self._timeout_s, self.abort)
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.request("POST", self._endpoint.path, message.body, self._headers(message))
            answer = connection.getresponse()
            status, wanted = answer.status, answer.headers.get("Retry-After", "")
        except (OSError, http.client.HTTPException) as error:
            raise DeliveryError(f"cannot be reached ({_cause(error)})") from error
        finally:
            watchdog.cancel()
            self._connection = None
            connection.close()
        if not 200 <= status < 300:
            refused = 300 <= status < 500 and status not in AWAY
            raise DeliveryError(f"answers {status}", refused=refused, retry_after_s=_seconds(wanted))

    def abort(self) -> None:
        """End an attempt that is going on."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(2)

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._endpoint.host, self._endpoint.port
        if self._context is None:
            return http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._context)

    def _headers(self, message: AlarmMessage) -> dict[str, str]:
        now = int(self._wall())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "deseptr",
            "Idempotency-Key": message.identity,
            "webhook-id": message.identity,
            "webhook-timestamp": str(now),
        }
        if self._key is not None:
            headers["webhook-signature"] = signature_of(self._key, message.identity, now, message.body)
        return headers


def _context(ca: Path | None, option: str) -> ssl.SSLContext:
    try:
        if ca is not None:
            check_input(ca)
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        cause = getattr(error, "reason", None) or error.strerror or error
        raise SetupError(
            f"{option} {ca}", found=cause, expected="certificates in PEM", next_step="name another file"
        ) from error


def _cause(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "verify_message", "") or error.reason or "TLS failed")
    if isinstance(error, TimeoutError):
        return "no answer in time"
    cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(cause.split())[:100] if cause.isprintable() else "no HTTP"


def _seconds(retry_after: str) -> float:
    """The header ``Retry-After`` in seconds; 0 if it has a date or nothing."""
    return min(float(retry_after), LONGEST_RETRY_AFTER_S) if retry_after.isascii() and retry_after.isdigit() else 0.0
