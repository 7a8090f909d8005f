"""Those who watch: each has a queue of its own, so that a slow phone costs nobody else anything."""

from __future__ import annotations

import asyncio
from collections import deque

# Half a minute of a run with ten reads a second.
CAPACITY = 300
MOST_VIEWERS = 32


class Viewer:
    """A queue of texts in which the newest win.

    Args:
        capacity: largest number of texts that wait.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._waiting: deque[str] = deque(maxlen=capacity)
        self._filled = asyncio.Event()
        self.dropped = 0

    def offer(self, text: str) -> None:
        """Add a text; the oldest is dropped and counted if there is no room."""
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(text)
        self._filled.set()

    async def next(self) -> str:
        """Take the oldest text, once there is one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()


class Viewers:
    """All of them.

    Args:
        most: largest number of viewers.
    """

    def __init__(self, most: int = MOST_VIEWERS) -> None:
        self._most = most
        self._all: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._all)

    def join(self) -> Viewer | None:
        """A new viewer; None if there are too many."""
        if len(self._all) >= self._most:
            return None
        viewer = Viewer()
        self._all.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self._all.discard(viewer)

    def offer(self, text: str) -> None:
        """Add a text to every viewer's queue."""
        for viewer in self._all:
            viewer.offer(text)
