"""A proxy before the broker: which message was published when, and whether its acknowledgment was read.

Packets are those of MQTT 3.1.1 (https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html, section 2.2).
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from campaign import wait_until

PUBLISH, PUBACK = 3, 4


@dataclass
class Sent:
    """A message that was published with QoS 1.

    Args:
        topic: its topic.
        payload: its content.
        read: whether the client had read the acknowledgment when it was killed or ended, and another packet after it.
        last: whether it was the last packet that the client had read then.
    """

    topic: str
    payload: bytes
    read: bool = False
    last: bool = False


@dataclass
class Connection:
    """A client's connection."""

    client: socket.socket
    broker: socket.socket
    sent: dict[int, Sent] = field(default_factory=dict)
    # Where the packets ended that the client was sent, bytes.
    ends: list[int] = field(default_factory=lambda: [0])
    unread: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Proxy:
    """Hands everything on between clients and the broker.

    Args:
        broker_port: the broker's port.
    """

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._messages: dict[tuple[str, bytes], list[Sent]] = {}
        self._connections: list[Connection] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._accept()

    @property
    def forwarded(self) -> int:
        """Bytes that clients were sent."""
        return sum(connection.ends[-1] for connection in self._connections)

    def listen(self) -> None:
        """Accept connections again."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._accept()

    def stop(self) -> None:
        """Refuse connections, and end those that there are."""
        _end(self._server)
        for connection in self._connections:
            _end(connection.client)
            _end(connection.broker)
        self._connections.clear()

    def note_unread(self) -> None:
        """Note what a halted client has not read of what it was sent; call it before the client is killed."""
        for connection in self._connections:
            with connection.lock, suppress(OSError):
                connection.unread = _unread(connection.client)

    def sent_before(self, topic: str, payload: bytes) -> list[Sent]:
        """What was sent of a message before it was sent for the last time."""
        return self._messages.get((topic, payload), [])[:-1]

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
                made = Connection(client, broker)
                self._connections.append(made)
                for work in (self._from_client, self._from_broker):
                    threading.Thread(target=work, args=(made,), daemon=True).start()

    def _from_client(self, connection: Connection) -> None:
        with suppress(OSError):
            for packet in packets(connection.client):
                if packet[0] >> 4 == PUBLISH and packet[0] & 0b110:
                    number, sent = _published(packet)
                    connection.sent[number] = sent
                    self._messages.setdefault((sent.topic, sent.payload), []).append(sent)
                connection.broker.sendall(packet)
        with suppress(OSError):
            connection.broker.shutdown(socket.SHUT_WR)

    def _from_broker(self, connection: Connection) -> None:
        acknowledged: dict[int, Sent] = {}
        with suppress(OSError):
            for packet in packets(connection.broker):
                with connection.lock:
                    if connection.unread is not None:
                        # What is forwarded from here on, nobody reads.
                        continue
                    connection.client.sendall(packet)
                    connection.ends.append(connection.ends[-1] + len(packet))
                    if packet[0] >> 4 == PUBACK:
                        acknowledged[connection.ends[-1]] = connection.sent.pop(int.from_bytes(packet[-2:]))
        with connection.lock:
            until = connection.ends[-1] - (connection.unread or 0)
            last = max(end for end in connection.ends if end <= until)
            for end, sent in acknowledged.items():
                sent.read, sent.last = end < last, end == last
        with suppress(OSError):
            connection.client.close()


def _end(opened: socket.socket) -> None:
    """Close a socket, which a thread that waits in accept() or recv() keeps open if it is only closed."""
    with suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)
    opened.close()


def packets(stream: socket.socket) -> Iterator[bytes]:
    """The packets of one direction, whole."""
    while head := _read(stream, 1):
        length, shift = 0, 0
        while True:
            byte = _read(stream, 1)
            if not byte:
                return
            head += byte
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if not byte[0] & 0x80:
                break
        yield head + _read(stream, length)


def halt(pid: int) -> None:
    """SIGSTOP to a process and its session, and wait until no thread of it runs."""
    with suppress(ProcessLookupError, FileNotFoundError):
        os.killpg(pid, signal.SIGSTOP)
        stat = Path(f"/proc/{pid}/stat")
        wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] in "TZ", 10, "a process does not stop")


def _read(stream: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        some = stream.recv(count - len(content))
        if not some:
            if content:
                raise OSError("a packet that is cut off")
            return b""
        content += some
    return content


def _published(packet: bytes) -> tuple[int, Sent]:
    """Number and content of a PUBLISH with QoS 1."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    at += 1
    length = int.from_bytes(packet[at : at + 2])
    topic = packet[at + 2 : at + 2 + length].decode()
    at += 2 + length
    return int.from_bytes(packet[at : at + 2]), Sent(topic, packet[at + 2 :])


def _unread(stream: socket.socket) -> int:
    """Bytes that were sent on a connection within this machine and that its other end has not read."""
    own, other = (f"0100007F:{name[1]:04X}" for name in (stream.getsockname(), stream.getpeername()))
    wait_until(lambda: not _queues(own, other)[0], 10, "bytes stay on their way within this machine")
    return _queues(other, own)[1]


def _queues(local: str, remote: str) -> tuple[int, int]:
    """Bytes of a socket that the other end has not got yet, and that its own process has not read: proc_net_tcp."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == [local, remote]:
            to_send, _, to_read = fields[4].partition(":")
            return int(to_send, 16), int(to_read, 16)
    return 0, 0
