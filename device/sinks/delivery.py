"""Alarms to a receiver that may fail, hang or be away: kept on the medium until it has taken them.

Each step of an alarm is committed to a spool before it is sent, and removed when the receiver has taken it, so that it
arrives at least once: a kill in between has it sent again, with the same identity, by which the receiver can drop it.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from deseptr.contract.counts import counted
from deseptr.device.events import AlarmEvent, Event

from .background import Worker
from .losses import Warn
from .spool import BEFORE_ALL, Spool
from .spool_file import MqttMessage, Spooled

# A sensor's FIFO holds more than this, so that a slow card costs no sample; what takes longer is committed later.
LONGEST_COMMIT_S = 0.25
LONGEST_RETRY_S = 60.0
LONGEST_REFUSED_S = 3600.0
PAGE = 64


@dataclass(frozen=True, slots=True)
class AlarmMessage:
    """A step of an alarm, as it is sent.

    Args:
        identity: the same at every attempt, and that of no other message.
        body: JSON in UTF-8: ``type``, ``timestamp``, and ``data``, the alarm.
    """

    identity: str
    body: bytes


class DeliveryError(Exception):
    """The receiver has not taken a message.

    Args:
        reason: why, in one line.
        refused: whether it is there and will not take this message, so that others may be tried meanwhile.
        retry_after_s: time for which it asks to be left alone, seconds.
    """

    def __init__(self, reason: object, *, refused: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(str(reason))
        self.refused = refused
        self.retry_after_s = retry_after_s


class Receiver(Protocol):
    """Where alarms go."""

    @property
    def name(self) -> str:
        """Its name in messages, without secrets."""
        ...

    def deliver(self, message: AlarmMessage) -> None:
        """Hand a message over; called by one thread.

        Raises:
            DeliveryError: if the receiver has not taken it.
        """
        ...

    def abort(self) -> None:
        """End an attempt that is going on; called by another thread."""
        ...


class AlarmDelivery:
    """Delivers the alarms among the events of a run.

    Args:
        receiver: where they go.
        spool: keeps them; closed with the sink.
        node: name of this wearable.
        warn: called when the receiver goes away or refuses something, and when it is back.
        states: of an alarm that are delivered.
        wait: whether to wait for the medium as long as it takes; for replays.
        retry_s: time to the second attempt, seconds; doubled for each further one, up to a minute, or an hour for a
            message that the receiver refuses.
        drain_s: longest time for which closing waits for the receiver, seconds.
        wall: gives seconds since 1970.
        jitter: gives numbers from 0 to 1, by which attempts are spread.
    """

    def __init__(
        self,
        receiver: Receiver,
        spool: Spool,
        node: str,
        warn: Warn,
        *,
        states: Collection[str] = ("raised", "acknowledged"),
        wait: bool = False,
        retry_s: float = 1.0,
        drain_s: float = 5.0,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._receiver = receiver
        self._spool = spool
        self._node = node
        self._warn = warn
        self._states = states
        self._wait = wait
        self._retry_s = retry_s
        self._drain_s = drain_s
        self._wall = wall
        self._jitter = jitter
        # Guards the spool and what follows, which both threads use.
        self._changed = threading.Condition()
        self._closing = self._busy = False
        # Used by the delivering thread.
        self._away = 0
        self._away_until = 0.0
        self._refused: dict[int, tuple[int, float]] = {}
        self._worker = Worker(f"{receiver.name} spool")
        self._thread = threading.Thread(target=self._run, name=receiver.name, daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Commit an alarm to the spool, and have it delivered; other events are passed over.

        It returns when the alarm is on the medium, or after a quarter of a second if that takes longer.
        """
        if not isinstance(event, AlarmEvent) or event.state not in self._states:
            return
        message = self._message(event)
        stored = threading.Event()

        def store() -> None:
            with self._changed:
                self._spool.add(message, BEFORE_ALL)
                self._changed.notify_all()
            stored.set()

        self._worker.enqueue(store)
        stored.wait(None if self._wait else LONGEST_COMMIT_S)

    def close(self) -> None:
        """Give the receiver up to ``drain_s`` to take what waits, and leave the rest for the next run."""
        self._worker.close()
        with self._changed:
            self._changed.wait_for(self._is_done, self._drain_s)
            self._closing = True
            self._changed.notify_all()
        self._receiver.abort()
        self._thread.join(self._drain_s)
        with self._changed:
            rest = self._spool.close()
        if rest.kept:
            wait = counted(rest.kept, "alarm waits", "alarms wait")
            self._warn(f"{self._receiver.name}: {wait} in the spool for the next run")
        if rest.lost:
            lost = counted(rest.lost, "alarm that waited in memory is lost", "alarms that waited in memory are lost")
            self._warn(f"{self._receiver.name}: {lost}: {rest.reason}")

    def _is_done(self) -> bool:
        """Whether nothing waits, or only for a receiver that has just failed."""
        return not self._busy and (not len(self._spool) or bool(self._away or self._refused))

    def _message(self, event: AlarmEvent) -> MqttMessage:
        now = datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds")
        told = event.to_dict()
        # The wearer's name, where there is one, is beside the alarm.
        data = told.pop("alarm") | told | {"node": self._node}
        body = {"type": f"alarm.{event.state}", "timestamp": now, "data": data}
        return MqttMessage(f"{event.key}-{event.state}", json.dumps(body, separators=(",", ":")).encode())

    # In the delivering thread.

    def _run(self) -> None:
        while (spooled := self._next()) is not None:
            try:
                self._receiver.deliver(AlarmMessage(spooled.message.topic, spooled.message.payload))
            except DeliveryError as error:
                self._failed(spooled.number, error)
            except Exception as error:
                # What nobody has foreseen must not end the delivery of the alarms that follow.
                self._failed(spooled.number, DeliveryError(f"{type(error).__name__}: {error}", refused=True))
            else:
                self._delivered(spooled.number)

    def _next(self) -> Spooled | None:
        """The next message that is due, once there is one; None at the end."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while not self._closing:
                now = time.monotonic()
                due = self._away_until if self._away_until > now else None
                if due is None:
                    for spooled in self._waiting():
                        at = self._refused.get(spooled.number, (0, now))[1]
                        if at <= now:
                            self._busy = True
                            return spooled
                        due = min(at, at if due is None else due)
                self._changed.wait(None if due is None else due - now)
            return None

    def _waiting(self) -> Iterator[Spooled]:
        number = BEFORE_ALL
        while page := self._spool.after(number, PAGE):
            yield from page
            number = page[-1].number

    def _delivered(self, number: int) -> None:
        with self._changed:
            self._refused.pop(number, None)
            if self._away:
                self._warn(f"{self._receiver.name}: works again")
            self._away, self._away_until = 0, 0.0
            self._spool.remove(number)

    def _failed(self, number: int, error: DeliveryError) -> None:
        with self._changed:
            if self._closing:
                return
            if error.refused:
                failures = self._refused.get(number, (0, 0.0))[0] + 1
                pause = max(self._pause(failures, LONGEST_REFUSED_S), error.retry_after_s)
                self._refused[number] = failures, time.monotonic() + pause
                first = failures == 1
            else:
                self._away += 1
                pause = max(self._pause(self._away, LONGEST_RETRY_S), error.retry_after_s)
                self._away_until = time.monotonic() + pause
                first = self._away == 1
        if first:
            self._warn(f"{self._receiver.name}: {error}; alarms wait in the spool")

    def _pause(self, failures: int, longest_s: float) -> float:
        # Spread, so that many wearables do not come at once to a receiver that has come back.
        return min(self._retry_s * 2.0 ** min(failures - 1, 30), longest_s) * (1 + 0.25 * self._jitter())
