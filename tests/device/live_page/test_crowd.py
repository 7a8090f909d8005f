"""Many who watch, and many who only connect: the run goes on, memory and connections are bounded."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from live_page_served import SECRET, Served, beginning, received
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from deseptr.device.live_page import http_protocol

WALK = "synthetic:subjects=1,seconds=15"
VIEWERS = 20


def run(*words: str) -> list[str]:
    own = ["--simulate", WALK, "--seconds", "12", "--json", *words]
    return [sys.executable, "-m", "deseptr.cli", "device", "run", *own]


def windows_in(lines: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, lines.splitlines()) if "latency_us" in line]


async def watch(url: str) -> list[list[float]]:
    """Times of the windows that each viewer was shown, but for the first, who stops reading."""
    origin = url.rpartition("/")[0].rpartition("/")[0]

    async def view(number: int) -> list[float]:
        seen: list[float] = []
        async with connect(url.replace("http", "ws") + "live", origin=origin, proxy=None, max_queue=1) as viewer:
            if number == 0:
                await asyncio.sleep(60)
            with suppress(ConnectionClosed):
                async for text in viewer:
                    message = json.loads(text)
                    seen += [each["at"] for each in message.get("messages", [message]) if each["kind"] == "window"]
        return seen

    stalled, *reading = [asyncio.ensure_future(view(number)) for number in range(VIEWERS)]
    found = await asyncio.gather(*reading)
    stalled.cancel()
    return found


@pytest.mark.slow
def test_twenty_viewers_of_whom_one_is_stalled_cost_the_run_no_sample_and_no_label(tmp_path: Path):
    words = ["--speed", "realtime", "--web", "127.0.0.1:0", "--web-token-file", str(tmp_path / "token")]
    with subprocess.Popen(run(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        found = re.fullmatch(r"page: (http://.*/)\n", running.stderr.readline())
        assert found
        seen = asyncio.run(watch(found[1]))
        out, err = running.communicate(timeout=60)
    alone = subprocess.run(run(), capture_output=True, text=True, check=True)
    assert running.returncode == 0, err
    assert not [line for line in map(json.loads, out.splitlines()) if "gap" in line]
    windows = windows_in(out)
    # Only times of the host differ.
    for watched, unwatched in zip(windows, windows_in(alone.stdout), strict=True):
        assert watched | {"latency_us": 0} == unwatched | {"latency_us": 0}
    assert len(windows) > 5
    assert seen == [[pytest.approx(window["t"], abs=1e-3) for window in windows]] * (VIEWERS - 1)


@pytest.mark.slow
def test_ten_thousand_connections(served: Served):
    together, most, memory = 200, 0, []
    with served.watch() as watching:
        beginning(watching)
        for batch in range(50):
            mine = []
            for number in range(together):
                mine.append(socket.create_connection(("127.0.0.1", served.port), timeout=30))
                if number % 2:
                    # A refused connection may have been reset already.
                    with suppress(OSError):
                        mine[-1].sendall(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            most = max(most, len(served.page._server.server_state.connections))
            # The page goes on for those who watch.
            served.window(float(batch + 1))
            assert received(watching, "window", 30)["at"] == batch + 1
            for each in mine:
                each.close()
            memory.append(resident_kib())
    # One of the connections is the viewer's.
    assert 2 < most <= http_protocol.MOST_CONNECTIONS
    assert max(memory) - memory[9] < 8 * 1024
    assert served.get().status == 200


def resident_kib() -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


def test_a_message_in_pieces_is_bounded_as_a_whole(served: Served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        raw.sendall(upgrade(served))
        assert raw.recv(100).startswith(b"HTTP/1.1 101")
        first = Frame(Opcode.TEXT, b"x" * 100, fin=False).serialize(mask=True)
        more = Frame(Opcode.CONT, b"x" * 100, fin=False).serialize(mask=True)
        with suppress(OSError):
            raw.sendall(first + more * 1000)
        ended = b""
        with suppress(ConnectionResetError):
            while piece := raw.recv(65536):
                ended = piece
        # RFC 6455, section 7.4.1: the message is too big.
        assert (1009).to_bytes(2, "big") in ended or not ended
    assert served.get().status == 200


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Opcode.TEXT, b"unmasked").serialize(mask=False),
        Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True),
        Frame(Opcode.CONT, b"of nothing").serialize(mask=True),
        b"\x89\xfe\x00\x7e" + bytes(130),
        b"\x81\xff" + (2**62).to_bytes(8, "big") + bytes(100),
        b"\xc1\x80" + bytes(4),
    ],
    ids=["unmasked", "not UTF-8", "continues nothing", "long ping", "length of an exabyte", "reserved bit"],
)
def test_malformed_frames_end_their_connection_alone(served: Served, frame: bytes):
    with served.watch() as other, socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        beginning(other)
        raw.sendall(upgrade(served))
        assert raw.recv(100).startswith(b"HTTP/1.1 101")
        raw.sendall(frame)
        with suppress(ConnectionResetError):
            while raw.recv(65536):
                pass
        served.window(1.0)
        assert received(other, "window")["at"] == 1.0


def upgrade(served: Served) -> bytes:
    return (
        f"GET /{SECRET}/live HTTP/1.1\r\nHost: {served.host}\r\nOrigin: http://{served.host}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
