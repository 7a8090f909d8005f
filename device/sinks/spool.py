"""A queue of messages for a broker: ordered, on disk, bounded.

An SQLite file with a write-ahead log: a process that is killed loses nothing, and a power cut at most the messages that
the system had not yet written, never the file. One thread uses it at a time. A file that is not a spool is left as it
is.
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
COLUMNS = ("number", "topic", "payload", "retain")
MAGIC = b"SQLite format 3\0"
# Kept in the file's header, bytes 68 to 71 (https://www.sqlite.org/fileformat2.html#application_id).
APPLICATION_ID = int.from_bytes(b"dsMQ")
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
        ours: whether the path is in this package's own state folder, so that any other content is a damaged spool,
            which is renamed.

    Raises:
        SetupError: if the file cannot be made there, or another process uses it, or it is something else.
    """

    def __init__(self, path: Path, warn: Warn, capacity: int = CAPACITY, *, ours: bool = False) -> None:
        self._path = path
        self._ours = ours
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
            own = self._is_own()
            if own is False:
                raise self._unusable("something else, which would be damaged")
            return _connect(self._path)
        except _ForeignDatabaseError as error:
            raise self._unusable(error) from error
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError as error:
            if not own:
                raise self._unusable(f"a damaged database ({error})") from error
            aside = self._free_name()
            self._warn(f"{self._path}: {error}; renamed to {aside.name}, and a new one started")
            self._path.replace(aside)
            return _connect(self._path)
        except OSError as error:
            raise self._unusable(error.strerror) from error

    def _is_own(self) -> bool | None:
        """Whether the file is known to be a spool by place or header; None for any other database."""
        if self._ours or not self._path.exists():
            return True
        if not self._path.is_file():
            return False
        with self._path.open("rb") as file:
            header = file.read(72)
        if not header.startswith(MAGIC):
            return not header
        return True if header[68:] == APPLICATION_ID.to_bytes(4) else None

    def _free_name(self) -> Path:
        names = (f"{self._path.name}.damaged{number}" for number in ("", *range(2, 1000)))
        paths = map(self._path.with_name, names)
        return next((path for path in paths if not path.exists()), self._path.with_name(f"{self._path.name}.damaged"))

    def _unusable(self, found: object) -> SetupError:
        return SetupError(
            self._path,
            found=found,
            expected="a place to keep messages while the broker is away, used by no other process",
            next_step="choose another with --mqtt-spool",
        )


class _ForeignDatabaseError(Exception):
    """A sound SQLite database of another program."""


def _check_tables(connection: sqlite3.Connection) -> None:
    """Refuse a database with tables that no spool has, before anything of it is changed."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = tuple(row[1] for row in connection.execute("PRAGMA table_info(messages)"))
    if tables - {"messages", "sqlite_sequence"} or columns not in ((), COLUMNS):
        raise _ForeignDatabaseError("a database of another program")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        # Exclusive, so that a second process fails instead of sending everything twice.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _check_tables(connection)
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(str(damage).splitlines()[0])
        with connection:
            connection.execute(SCHEMA)
    except (sqlite3.Error, _ForeignDatabaseError):
        connection.close()
        raise
    return connection
