"""``--web`` among the arguments that a service gets."""

from __future__ import annotations

import pytest

from deseptr.cli.firmware.service_page import listen_of
from deseptr.contract import SetupError


@pytest.mark.parametrize(
    ("words", "listen"),
    [
        ([], None),
        (["--web-no-auth", "--web-recordings", "--mqtt"], None),
        (["--web"], "127.0.0.1:8384"),
        (["--web", "--json"], "127.0.0.1:8384"),
        (["--web", "0.0.0.0:9000"], "0.0.0.0:9000"),
        (["--web=:9000", "--json"], "127.0.0.1:9000"),
        (["--web", "0.0.0.0", "--web=[::1]:9000"], "[::1]:9000"),
    ],
)
def test_the_address_that_a_service_asks_for(words: list[str], listen: str | None):
    assert listen_of(words) == listen


@pytest.mark.parametrize("words", [["--web", "0.0.0.0:80"], ["--web=:0"]])
def test_a_port_that_a_service_cannot_open(words: list[str]):
    with pytest.raises(SetupError, match=r"--web .*: found port \d+, expected a port from 1024 on"):
        listen_of(words)


def test_an_address_that_is_none():
    with pytest.raises(SetupError, match="expected HOST:PORT"):
        listen_of(["--web", "http://pi:8384"])
