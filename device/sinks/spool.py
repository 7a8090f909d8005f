"""A queue of messages for a broker: ordered, on disk, bounded.

An SQLite file with a write-ahead log: a process that is killed loses nothing, and a power cut at most the messages that
the system had not yet written, never the file. One thread uses it at a time.
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


class MqttMessage(NamedTuple):
    """An MQTT message.

    Args:
        topic: its topic.
        payload: its content, UTF-8.
        retain: whether the broker keeps it for later subscribers.
    """

    topic: str
    payload: bytes
    retain: bool = False


class Spooled(NamedTuple):
    """A message in the spool.

    Args:
        number: its place in the order, never used again.
        message: the message.
    """

    number: int
    message: MqttMessage


class Spool:
    """A queue of messages that outlives the process.

    Args:
        path: the file; its folder is made.
        warn: called about a damaged file or a full disk.
        capacity: largest number of messages; beyond it the oldest are dropped.

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

    def add(self, message: MqttMessage, sent: int = 0) -> None:
        """Append a message; if the spool is full, drop the oldest one after number ``sent``, and count it."""
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
        return [Spooled(row[0], MqttMessage(row[1], row[2], bool(row[3]))) for row in rows]

    def remove(self, number: int) -> None:
        """Remove a message that has arrived."""
        self._count -= self._try(lambda: self._delete(number))

    def close(self) -> None:
        """Leave the file as it is for the next run."""
        self._connection.close()

    def _insert(self, message: MqttMessage, drop_after: int | None) -> None:
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
            self._warn(f"{self._path}: {error}; renamed to {aside.name}, and a new one started")
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
        # Exclusive, so that a second process fails instead of sending everything twice.
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
