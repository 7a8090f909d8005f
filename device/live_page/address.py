"""Where the page listens, and the addresses that others reach it at."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass

from deseptr.contract import SetupError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8384
_BACKLOG = 32


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An address and port of this machine.

    Args:
        host: an address, or a name that means one.
        port: 0 is any free port.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT

    @property
    def is_loopback(self) -> bool:
        """Whether nobody on another machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def listen(self) -> socket.socket:
        """A socket that listens here.

        Raises:
            SetupError: if the port is taken or not allowed, or the machine has no such address.
        """
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            opened = socket.socket(family, kind, protocol)
        except OSError as error:
            raise self._refused(error) from error
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(place)
            opened.listen(_BACKLOG)
        except OSError as error:
            opened.close()
            raise self._refused(error) from error
        return opened

    def reached_at(self) -> str:
        """The host to put into the page's address: this one, or the machine's own where all of them are meant."""
        if self.host in ("0.0.0.0", "::"):  # nosec B104 - what was asked for
            return _own_address() or socket.gethostname()
        return f"[{self.host}]" if ":" in self.host else self.host

    def _refused(self, error: OSError) -> SetupError:
        return SetupError(
            f"--web {self}",
            found=error.strerror or error,
            expected="an address of this machine and a free port",
            next_step="choose another, as `--web 127.0.0.1:8385`",
        )

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """Read ``HOST``, ``:PORT``, ``HOST:PORT`` or ``[ADDRESS]:PORT``.

    Raises:
        SetupError: if it is something else.

    >>> parse_listen("0.0.0.0:80")
    ListenAddress(host='0.0.0.0', port=80)
    >>> parse_listen("[::1]").port
    8384
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        separator, _, port = rest.partition(":")
        valid = bool(bracket) and not separator
    else:
        host, _, port = text.partition(":")
        valid = True
    port = port or str(DEFAULT_PORT)
    valid = valid and _is_name(host) and port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535
    if not valid or not host.isprintable() or any(each in host for each in "/@ "):
        raise SetupError(
            "--web",
            found=repr(text[:100]),
            expected="HOST:PORT, with a port up to 65535",
            next_step="write it as `--web 0.0.0.0:8384`",
        )
    return ListenAddress(host or DEFAULT_HOST, int(port))


def _is_name(host: str) -> bool:
    """Whether the resolver can be asked for it."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _own_address() -> str | None:
    """The address from which this machine would reach another network; nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # RFC 5737: documentation only, never a real host
        return str(probe.getsockname()[0])
    return None
