"""A real mosquitto that survives its own kills, and a subscriber that keeps what it is sent."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as paho
from campaign import wait_until
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 60.0
AWAY = "the broker does not answer"


class Broker:
    """A mosquitto with a folder and port of its own; what a subscriber misses while it is down waits for it."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if found is None:
            raise SystemExit("the campaign of run --mqtt needs Debian's package mosquitto")
        self._program = found
        self._folder = folder / "mosquitto"
        self._folder.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = int(server.getsockname()[1])
        # As root it would become another user.
        user = "user root\n" if os.geteuid() == 0 else ""
        kept = (
            f"persistence true\npersistence_location {self._folder}/\nautosave_interval 1\nautosave_on_changes true\n"
        )
        unlimited = "max_queued_messages 0\nqueue_qos0_messages true\nallow_anonymous true\n"
        (self._folder / "mosquitto.conf").write_text(f"listener {self.port} 127.0.0.1\n{user}{kept}{unlimited}")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and not killed."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        wait_until(self._answers, PATIENCE_S, AWAY)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Subscriber:
    """Keeps all that the broker sends, across reconnections; QoS 0, so that no acknowledgment of its own is lost."""

    def __init__(self, port: int) -> None:
        self._messages: list[paho.MQTTMessage] = []
        self._ready = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="torture", clean_session=False)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 0)
        self._client.on_subscribe = lambda *_: setattr(self, "_ready", True)
        self._client.on_message = lambda client, data, message: self._messages.append(message)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        wait_until(lambda: self._ready, PATIENCE_S, AWAY)

    def on(self, topic: str) -> list[bytes]:
        """Payloads on a topic, in the order in which they came."""
        return [message.payload for message in list(self._messages) if message.topic == topic]

    def wait(self) -> None:
        """Wait until it is connected."""
        wait_until(self._client.is_connected, PATIENCE_S, AWAY)

    def settle(self) -> None:
        """Wait until nothing has come for three seconds."""
        count = -1
        while count != len(self._messages):
            count = len(self._messages)
            time.sleep(3)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
