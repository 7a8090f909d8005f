"""Messages that wait for a broker, in order, on disk, in a bounded number.

An SQLite file with a write-ahead log: a process that is killed loses nothing, a power cut at most what the system had
not yet written back, and never the file. One thread uses it at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from deseptr.contract import SetupError

from .losses import Warn

CAPACITY = 100_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL, retain INTEGER NOT NULL
)
"""
Result = TypeVar("Result")


class Message(NamedTuple):
    """What is published where.

    Args:
        topic: of it.
        payload: UTF-8.
        retain: whether the broker keeps it for who comes later.
    """

    topic: str
    payload: bytes
    retain: bool = False


class Spooled(NamedTuple):
    """A message that waits.

    Args:
        number: its place in the order, never used again.
        message: what waits.
    """

    number: int
    message: Message


class Spool:
    """A queue of messages that outlives the process.

    Args:
        path: the file; its folder is made.
        warn: told of a damaged file, and of a disk that takes no more.
        capacity: how many messages it holds; then the oldest make room.

    Raises:
        SetupError: if the file cannot be made there, or another process uses it.
    """

    def __init__(self, path: Path, warn: Warn, capacity: int = CAPACITY) -> None:
        self._path = path
        self._warn = warn
        self._capacity = capacity
        self._connection = self._open()
        self._count: int = self._connection.execute("SELECT count(*) FROM messages").fetchone()[0]
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def add(self, message: Message, sent: int = 0) -> None:
        """Put a message at the end; where it is full, drop the oldest after number ``sent``, and count it."""
        full = self._count >= self._capacity
        self._try(lambda: self._insert(message, sent if full else None))
        self.dropped += full
        self._count += not full

    def after(self, number: int, limit: int) -> list[Spooled]:
        """The first ``limit`` messages after ``number``."""
        rows = self._try(
            lambda: self._connection.execute(
                "SELECT number, topic, payload, retain FROM messages WHERE number > ? ORDER BY number LIMIT ?",
                (number, limit),
            ).fetchall()
        )
        return [Spooled(row[0], Message(row[1], row[2], bool(row[3]))) for row in rows]

    def remove(self, number: int) -> None:
        """Forget a message that has arrived."""
        self._count -= self._try(lambda: self._delete(number))

    def close(self) -> None:
        """Leave the file as it is for the next run."""
        self._connection.close()

    def _insert(self, message: Message, drop_after: int | None) -> None:
        with self._connection:
            if drop_after is not None:
                self._connection.execute(
                    "DELETE FROM messages WHERE number = (SELECT min(number) FROM messages WHERE number > ?)",
                    (drop_after,),
                )
            self._connection.execute("INSERT INTO messages (topic, payload, retain) VALUES (?, ?, ?)", message)

    def _delete(self, number: int) -> int:
        with self._connection:
            return self._connection.execute("DELETE FROM messages WHERE number = ?", (number,)).rowcount

    def _try(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except sqlite3.DatabaseError as error:
            self._warn(f"{self._path}: {error}; messages for the broker wait in memory from here on")
            self._move_to_memory()
            return call()

    def _move_to_memory(self) -> None:
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        memory.execute(SCHEMA)
        try:
            for row in self._connection.execute("SELECT * FROM messages ORDER BY number"):
                memory.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", row)
        except sqlite3.DatabaseError as error:
            self._warn(f"{self._path}: {error}; some of the messages that waited there are lost")
        memory.commit()
        self._connection.close()
        self._connection = memory
        self._count = memory.execute("SELECT count(*) FROM messages").fetchone()[0]

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return _connect(self._path)
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError as error:
            aside = self._path.with_name(f"{self._path.name}.damaged")
            self._warn(f"{self._path}: {error}; put aside as {aside.name}, and begun anew")
            self._path.replace(aside)
            return _connect(self._path)
        except OSError as error:
            raise self._unusable(error.strerror) from error

    def _unusable(self, found: object) -> SetupError:
        return SetupError(
            self._path,
            found=found,
            expected="a place to keep messages while the broker is away, used by no other process",
            next_step="choose another with --mqtt-spool",
        )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        # Exclusive, so that a second process is told so instead of sending everything twice.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(str(damage).splitlines()[0])
        with connection:
            connection.execute(SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
