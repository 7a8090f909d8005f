"""Who may ask the server of the page what.

Everybody on the network can send requests to a wearable, and any site's page can send them through the browser of
somebody who watches. Hence a secret as the first part of every path, and the checks of ``Host`` (a name that was made
to mean this machine, DNS rebinding) and ``Origin``.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from deseptr.contract.page_answers import RefusedRequestError


@dataclass(frozen=True)
class Access:
    """The rules of one server.

    Args:
        scheme: ``http`` or ``https``.
        secret: first part of every path; empty if nobody needs one.
        names: host names of this machine, besides its addresses and ``localhost``.
    """

    scheme: str
    secret: str = field(repr=False)
    names: frozenset[str] = field(default_factory=lambda: machine_names())

    def check_site(self, headers: Mapping[str, str], *, changes: bool) -> None:
        """Refuse requests for another host, or from the page of another site.

        Args:
            headers: of the request, names in lower case.
            changes: whether the request changes something; then it must name its page's origin.

        Raises:
            RefusedRequestError: 403.
        """
        host = headers.get("host", "")
        if not self._is_own(_name_of(host)):
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "this machine has another name; use its address")
        origin = headers.get("origin")
        if (changes or origin is not None) and origin != f"{self.scheme}://{host}":
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "only this server's own page may ask")

    def inner_path(self, path: str) -> str:
        """What follows the secret in a path.

        Raises:
            RefusedRequestError: 403 if the secret is another one.
        """
        _, _, rest = path.partition("/")
        if not self.secret:
            return rest
        secret, _, inner = rest.partition("/")
        if not hmac.compare_digest(secret.encode(errors="replace"), self.secret.encode()):
            raise RefusedRequestError(
                HTTPStatus.FORBIDDEN, "this is not the whole address that `deseptr device run --web` printed"
            )
        return inner

    def _is_own(self, name: str) -> bool:
        # A site's name can be made to mean any address; an address means itself.
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            return name in self.names
        return True


def machine_names() -> frozenset[str]:
    """Names that mean this machine: ``localhost``, its host name, and that in mDNS."""
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, f"{name.partition('.')[0]}.local"})


def _name_of(host: str) -> str:
    """The name or address in a ``Host`` header, without port and brackets."""
    host = host.lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
