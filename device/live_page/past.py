"""What who opens the page late is told: the last minutes of labels, the last seconds of signals, the counts."""

from __future__ import annotations

from collections import Counter, deque

from .messages import Message

LABELS_S = 900.0
SIGNALS_S = 20.0
_MOST = 20_000
# Changes and troubles; the page lists a few.
_NOTES = 100


class Past:
    """Keeps messages of a run, bounded in time and number."""

    def __init__(self) -> None:
        self._windows: deque[Message] = deque(maxlen=_MOST)
        self._samples: deque[Message] = deque(maxlen=_MOST)
        self._notes: deque[Message] = deque(maxlen=_NOTES)
        self._counts: Counter[str] = Counter()
        self._rate: Message | None = None

    def note(self, message: Message) -> None:
        """Keep one message, and forget those that became too old."""
        kind, at = message["kind"], message["at"]
        self._counts[kind] += 1
        if kind == "window":
            _append(self._windows, message, at - LABELS_S)
        elif kind == "samples":
            _append(self._samples, message, at - SIGNALS_S)
        elif kind == "rate":
            self._rate = message
        else:
            self._counts["lost"] += message.get("lost", 0)
            self._notes.append(message)

    def messages(self) -> list[Message]:
        """All that is kept, in the order in which the page can take it."""
        rate = [] if self._rate is None else [self._rate]
        return [*rate, *self._notes, *self._windows, *self._samples]

    def counts(self) -> dict[str, int]:
        """Windows, gaps, lost samples and recovery steps so far."""
        counts = self._counts
        return {
            "windows": counts["window"],
            "gaps": counts["gap"],
            "lost": counts["lost"],
            "recoveries": counts["recovery"],
        }


def _append(kept: deque[Message], message: Message, oldest: float) -> None:
    kept.append(message)
    while kept[0]["at"] < oldest:
        kept.popleft()
