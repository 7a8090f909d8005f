"""Slow outputs on a thread of their own: an SD card or a broker must not make the sensor's FIFO overflow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from deseptr.device.events import Event

from .losses import Losses, Warn
from .sink import Sink

CAPACITY = 4096


class Worker:
    """A thread that makes one call after the other.

    Args:
        name: name of the thread.
        capacity: largest number of offered calls that wait.
    """

    def __init__(self, name: str, capacity: int = CAPACITY) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._room = threading.Semaphore(capacity)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def offer(self, call: Callable[[], None], *, wait: bool = False) -> bool:
        """Queue a call if there is room for it.

        Args:
            call: the call to make.
            wait: whether to wait for room instead of giving up.

        Returns:
            Whether the call was queued.

        Raises:
            BaseException: what an earlier call raised.
        """
        self._raise_failure()
        if not self._room.acquire(blocking=wait):
            return False
        self._calls.put(partial(self._offered, call))
        return True

    def enqueue(self, call: Callable[[], None]) -> None:
        """Queue a call even if there is no room."""
        self._calls.put(call)

    def close(self) -> None:
        """Wait until all calls are made.

        Raises:
            BaseException: what a call raised.
        """
        self._calls.put(None)
        self._thread.join()
        self._raise_failure()

    def _offered(self, call: Callable[[], None]) -> None:
        self._room.release()
        call()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except BaseException as error:
                self._failure = self._failure or error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


class BackgroundSink:
    """Hands events to another sink on a thread of its own.

    Args:
        sink: the other sink.
        name: name of the output, for the warning and the thread.
        warn: called when events come faster than the sink takes them, and when they no longer do.
        wait: whether to wait while the queue is full instead of dropping the event; for replays, which can wait.
        capacity: largest number of events that wait.
    """

    def __init__(self, sink: Sink, name: str, warn: Warn, *, wait: bool = False, capacity: int = CAPACITY) -> None:
        self._sink = sink
        self._wait = wait
        self._worker = Worker(name, capacity)
        self.losses = Losses(name, warn)

    def take(self, event: Event) -> None:
        """Queue one event."""
        if self._worker.offer(partial(self._sink.take, event), wait=self._wait):
            self.losses.kept()
        else:
            self.losses.lost("too slow")

    def close(self) -> None:
        """Let the sink take what is queued, and close it."""
        try:
            self._worker.close()
        finally:
            self._sink.close()
