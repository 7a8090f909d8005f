"""A dead man's heartbeat: posted while windows are classified, so that its absence says that nobody watches."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from deseptr.device.events import Event, WindowEvent

from .delivery import AlarmMessage, DeliveryError, Receiver
from .losses import Warn


class Heartbeat:
    """Posts in equal steps, only while windows come, and never late: a beat that fails is not repeated.

    Args:
        receiver: where it goes.
        node: name of this wearable.
        every_s: time between two beats, seconds.
        warn: called when the receiver goes away and when it is back.
        wall: gives seconds since 1970.
        now: a monotonic clock, seconds.
    """

    def __init__(
        self,
        receiver: Receiver,
        node: str,
        every_s: float,
        warn: Warn,
        *,
        wall: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._receiver = receiver
        self._node = node
        self._every_s = every_s
        self._warn = warn
        self._wall = wall
        self._now = now
        self._next = now()
        self._due = threading.Event()
        self._closing = self._away = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Note that a window was classified; other events are passed over."""
        if isinstance(event, WindowEvent) and (now := self._now()) >= self._next:
            self._next = now + self._every_s
            self._due.set()

    def close(self) -> None:
        """Stop; no beat says so, since what stops is no longer watching."""
        self._closing = True
        self._due.set()
        self._receiver.abort()
        self._thread.join(1.0)

    def _run(self) -> None:
        while self._due.wait() and not self._closing:
            self._due.clear()
            self._beat()

    def _beat(self) -> None:
        now = datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds")
        body = {"type": "heartbeat", "timestamp": now, "data": {"node": self._node, "every_s": self._every_s}}
        try:
            self._receiver.deliver(AlarmMessage(uuid.uuid4().hex, json.dumps(body, separators=(",", ":")).encode()))
        except DeliveryError as error:
            if not self._away and not self._closing:
                self._warn(f"heartbeat {self._receiver.name}: {error}")
            self._away = True
        else:
            if self._away:
                self._warn(f"heartbeat {self._receiver.name}: works again")
            self._away = False
