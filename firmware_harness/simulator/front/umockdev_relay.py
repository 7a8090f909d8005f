"""A standalone program: offers a device node to a command through umockdev, and relays the command's calls on it.

``umockdev-wrapper /usr/bin/python3 -I umockdev_relay.py SOCKET NODE DESCRIPTION COMMAND…``, with the system's Python,
which has the bindings of umockdev (Debian: gir1.2-umockdev-1.0, python3-gi) but not this package. It therefore knows
nothing of I2C: it sends each call on the node as a line of JSON to the inherited socket, and receives lines with
pointers to follow, and at the end one with the results. The other side is :mod:`.ioctl`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402 - the version comes first


class Relay(UMockdev.IoctlBase):  # type: ignore[misc]
    """Answers calls with the replies from the other side of ``link``, one after the other."""

    def __init__(self, link: socket.socket) -> None:
        super().__init__()
        self._link = link.makefile("rw", encoding="ascii", newline="\n")
        self._files: dict[Any, int] = {}
        self._opened = 0

    def do_client_connected(self, client: Any) -> None:
        """Number a file: the node was opened."""
        self._opened += 1
        self._files[client] = self._opened

    def do_client_vanished(self, client: Any) -> None:
        """Forget a file: it was closed."""
        self._files.pop(client, None)

    def do_handle_ioctl(self, client: Any) -> bool:
        """``ioctl(2)``: the argument itself is data, eight bytes or four."""
        return self._relay(client, {"call": "ioctl", "request": client.get_request()})

    def do_handle_read(self, client: Any) -> bool:
        """``read(2)``: the calling program's buffer is data."""
        return self._relay(client, {"call": "read"})

    def do_handle_write(self, client: Any) -> bool:
        """``write(2)``."""
        return self._relay(client, {"call": "write"})

    def _relay(self, client: Any, call: dict[str, Any]) -> bool:
        blocks = [client.get_arg()]
        self._send(call | {"file": self._files[client], "data": blocks[0].retrieve().hex()})
        while "follow" in (answer := self._receive()):
            block, offset, length = answer["follow"]
            blocks.append(blocks[block].resolve(offset, length))
            self._send({"data": blocks[-1].retrieve().hex()})
        for block, data in answer["store"]:
            blocks[block].update(0, list(bytes.fromhex(data)))
        client.complete(answer["return"], answer["errno"])
        return True

    def _send(self, message: dict[str, Any]) -> None:
        self._link.write(json.dumps(message) + "\n")
        self._link.flush()

    def _receive(self) -> dict[str, Any]:
        line = self._link.readline()
        if not line:
            return {"store": [], "return": -1, "errno": 19}
        message: dict[str, Any] = json.loads(line)
        return message


def main(descriptor: str, node: str, description: str, *command: str) -> int:
    """Run ``command`` with the device; returns its exit status as a shell does."""
    relay = Relay(socket.socket(fileno=int(descriptor)))
    bed = UMockdev.Testbed.new()
    bed.add_from_string(description)
    bed.attach_ioctl(node, relay)
    process = subprocess.Popen(command)
    # Signals are for the command, which has received Ctrl-C already; this program waits for its end and cleans up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    # umockdev's own thread may call back until the end, which would crash Python's normal exit.
    os._exit(main(*sys.argv[1:]))
