"""A queue of messages for a receiver that may be away: ordered, bounded, on disk as far as the disk allows.

While the medium is full, read-only or failing, messages wait in memory; they go to the medium as soon as it can be
written again. What counts as kept is what is committed there. One thread uses a spool at a time, but for
:meth:`Spool.mark`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from deseptr.contract import SetupError
from deseptr.contract.counts import counted

from .losses import Warn
from .spool_file import FOR_BROKER, MediumError, MqttMessage, Purpose, Spooled, SpoolFile

CAPACITY = 100_000
# Some 10 MB, and three hours of a label a second.
MEMORY_CAPACITY = 10_000
RETRY_S = 5.0
# Messages of one commit, so that a little room on the medium is used, too.
BATCH = 256
# Below every number.
BEFORE_ALL = -(2**62)


class Rest(NamedTuple):
    """What a closed spool leaves.

    Args:
        kept: number of messages on the medium, for the next run.
        lost: number of messages that were in memory alone.
        reason: why; empty if none is lost.
    """

    kept: int
    lost: int
    reason: str


class Spool:
    """A queue of messages that outlives the process.

    Args:
        path: the file; its folder is made.
        warn: called about a damaged file, and when the medium fails and works again.
        capacity: largest number of messages; beyond it the oldest are dropped.
        ours: whether the path is in this package's own state folder, so that any other content is a damaged spool,
            which is renamed.
        memory: largest number of messages in memory, while the medium cannot be written.
        now: a clock, seconds; measures the time between attempts to write to the medium again.
        purpose: what the messages are for.

    Raises:
        SetupError: if the file cannot be made there, or another process uses it, or it is something else; never because
            the medium is full, read-only or failing.
    """

    def __init__(
        self,
        path: Path,
        warn: Warn,
        capacity: int = CAPACITY,
        *,
        ours: bool = False,
        memory: int = MEMORY_CAPACITY,
        now: Callable[[], float] = time.monotonic,
        purpose: Purpose = FOR_BROKER,
    ) -> None:
        self._path = path
        self._warn = warn
        self._capacity = capacity
        self._ours = ours
        self._memory_capacity = memory
        self._now = now
        self._purpose = purpose
        # The numbers of these are above all in the file, which has numbers of its own, ``_offset`` higher.
        self._memory: deque[Spooled] = deque()
        self._offset: int | None = None
        self._last = 0
        self._file: SpoolFile | None = None
        self._trouble: MediumError | None = None
        self._retry_at = 0.0
        self.dropped = 0
        try:
            self._open()
        except MediumError as error:
            self._fail(error)

    def __len__(self) -> int:
        return self.durable + len(self._memory)

    @property
    def durable(self) -> int:
        """Number of waiting messages that are committed to the medium."""
        return 0 if self._file is None else len(self._file)

    def add(self, message: MqttMessage, sent: int = BEFORE_ALL) -> None:
        """Append one message, as :meth:`extend`."""
        self.extend((message,), sent)

    def extend(self, messages: Sequence[MqttMessage], sent: int = BEFORE_ALL) -> None:
        """Append messages with one commit; if the spool is full, drop the oldest after number ``sent``, and count."""
        self._memory.extend(Spooled(self._last + place, message) for place, message in enumerate(messages, 1))
        self._last += len(messages)
        if self._trouble is None or self._now() >= self._retry_at:
            self._store()
        while len(self._memory) > self._memory_capacity and self._drop(sent, in_file=False):
            pass
        while len(self) > self._capacity and self._drop(sent, in_file=True):
            pass

    def after(self, number: int, limit: int) -> list[Spooled]:
        """The first ``limit`` messages after ``number``."""
        stored = self._stored_after(number, limit)
        return stored + list(islice((each for each in self._memory if each.number > number), limit - len(stored)))

    def mark(self, number: int) -> None:
        """Note on the medium that a message has arrived, before it is removed; any thread may call this."""
        file, offset = self._file, self._offset
        if file is not None and offset is not None:
            file.mark(number + offset)

    def remove(self, number: int) -> None:
        """Remove a message that has arrived."""
        if self._memory and number >= self._memory[0].number:
            self._memory = deque(each for each in self._memory if each.number != number)
        elif self._file is not None and self._offset is not None:
            try:
                self._file.remove(number + self._offset)
            except MediumError as error:
                self._fail(error)

    def close(self) -> Rest:
        """Store what can be stored, and leave the file as it is for the next run."""
        if self._memory:
            self._store()
        rest = Rest(self.durable, len(self._memory), str(self._trouble or ""))
        if self._file is not None:
            self._file.close()
            self._file = None
        self._memory.clear()
        return rest

    def _stored_after(self, number: int, limit: int) -> list[Spooled]:
        if self._file is None or self._offset is None:
            return []
        try:
            stored = self._file.after(number + self._offset, limit)
        except MediumError as error:
            self._fail(error)
            return []
        return [Spooled(each.number - self._offset, each.message) for each in stored]

    def _drop(self, sent: int, *, in_file: bool) -> bool:
        """Drop the oldest message after ``sent``; False if there is none."""
        stored = self._stored_after(sent, 1) if in_file else []
        oldest = stored or [each for each in self._memory if each.number > sent][:1]
        if not oldest:
            return False
        before = len(self)
        self.remove(oldest[0].number)
        self.dropped += before - len(self)
        return len(self) < before

    def _store(self) -> None:
        """Move what is in memory to the medium, as far as that is possible."""
        moved = 0
        try:
            file, offset = self._reopened()
            while self._memory:
                some = [Spooled(number + offset, message) for number, message in islice(self._memory, BATCH)]
                file.append(some)
                for _ in some:
                    self._memory.popleft()
                moved += len(some)
        except (MediumError, SetupError) as error:
            self._fail(error if isinstance(error, MediumError) else MediumError(error.found))
            return
        if self._trouble is not None:
            self._trouble = None
            self._warn(
                f"{self._path}: works again; {counted(moved, 'message')} for {self._purpose.receiver} went there from "
                "memory"
            )

    def _reopened(self) -> tuple[SpoolFile, int]:
        """The file and its offset; opened again if that may help.

        Raises:
            MediumError: if the medium does not let it.
            SetupError: if something else has taken the file's place.
        """
        if self._file is not None and self._trouble is not None and self._trouble.reopen:
            self._file.close()
            self._file = None
        return self._open() if self._file is None or self._offset is None else (self._file, self._offset)

    def _open(self) -> tuple[SpoolFile, int]:
        self._file = SpoolFile(self._path, self._warn, ours=self._ours, purpose=self._purpose)
        if self._offset is None:
            # Messages in memory have numbers already if the medium could not be read at the start.
            self._offset = self._file.last if self._last else 0
            self._last = self._last or self._file.last
        return self._file, self._offset

    def _fail(self, error: MediumError) -> None:
        if self._trouble is None:
            waiting = f"messages for {self._purpose.receiver} wait in memory until it can be written again"
            self._warn(f"{self._path}: {error}; {waiting}")
        self._trouble = error
        self._retry_at = self._now() + RETRY_S
