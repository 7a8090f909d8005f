"""``--web`` among the arguments of a service: the address at which it may listen."""

from __future__ import annotations

from collections.abc import Sequence

from deseptr.cli.device.web_options import LOOPBACK

_FIRST_PORT = 1024


def listen_of(words: Sequence[str]) -> str | None:
    """The address that ``--web [HOST:PORT]`` of ``device run`` asks for; None without it.

    Raises:
        SetupError: if it is none, or not one that a service without privileges can open.
    """
    from deseptr.contract import SetupError
    from deseptr.device.live_page import parse_listen

    asked = [(number, word) for number, word in enumerate(words) if word.partition("=")[0] == "--web"]
    if not asked:
        return None
    number, word = asked[-1]
    value = word.partition("=")[2]
    following = words[number + 1 : number + 2]
    if not value and following and not following[0].startswith("-"):
        value = following[0]
    where = parse_listen(value or LOOPBACK)
    if where.port < _FIRST_PORT:
        raise SetupError(
            f"--web {where}",
            found=f"port {where.port}",
            expected=f"a port from {_FIRST_PORT} on, which a service without privileges can open",
            next_step="choose another, as `--web 0.0.0.0:8384`",
        )
    return str(where)
