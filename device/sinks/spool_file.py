"""The file of a spool: messages in an SQLite database, and the number of the last one delivered beside it.

What :meth:`SpoolFile.append` has returned for is committed: a process that is killed loses nothing of it, and a power
cut at most what the system had not yet written, never the file.

The write-ahead log grows by one page for each commit and table that it touches. With pages of 1 KiB, without a table of
used numbers, and with delivered messages deleted in the commit of the next ones, a message costs 1.0 KB of log while
the broker is there and 1.7 KB while it is away; with 4 KiB pages and a commit for each deletion it was 12 and 9 KB.

A deletion needs room in the log. The number of the last delivered message is therefore overwritten in place in a small
file of its own, ``NAME.sent``, so that on a full disk, too, nothing is sent again by the next run.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from deseptr.contract import SetupError

from .losses import Warn, cause_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, retain INTEGER NOT NULL
)
"""
COLUMNS = ("number", "topic", "payload", "retain")
MAGIC = b"SQLite format 3\0"
# Kept in the file's header, bytes 68 to 71 (https://www.sqlite.org/fileformat2.html#application_id).
APPLICATION_ID = int.from_bytes(b"dsMQ")
PAGE_BYTES = 1024
# Pages of the log after which it is written into the database.
LOG_PAGES = 256
SENT_START = b"deseptr spool, sent up to "
# Troubles of a medium, which may pass; anything else at the start is one of the path.
_MEDIUM_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_MEDIUM_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


class MediumError(Exception):
    """The medium cannot be written or read at present.

    Args:
        reason: the text.
        reopen: whether to open the file again may help.
    """

    def __init__(self, reason: object, *, reopen: bool = False) -> None:
        super().__init__(str(reason))
        self.reopen = reopen


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


class Purpose(NamedTuple):
    """What a spool is for.

    Args:
        receiver: of its messages, for people.
        option: of the command line that names the file.
        every_commit: whether each commit reaches the medium before :meth:`SpoolFile.append` returns, so that a power
            cut loses nothing of it either; it costs a wait for the medium, so that it is for few messages.
    """

    receiver: str
    option: str
    every_commit: bool = False


FOR_BROKER = Purpose("the broker", "--mqtt-spool")


class Spooled(NamedTuple):
    """A message in the spool.

    Args:
        number: its place in the order, never used again.
        message: the message.
    """

    number: int
    message: MqttMessage


class SpoolFile:
    """Messages on a medium, in the order of their numbers.

    Args:
        path: the file; its folder is made.
        warn: called about a damaged file.
        ours: whether the path is in this package's own state folder, so that any other content is a damaged spool,
            which is renamed.
        purpose: what the messages are for.

    Raises:
        MediumError: if the medium is full, read-only or failing.
        SetupError: if the file cannot be made there, or another process uses it, or it is something else.
    """

    def __init__(self, path: Path, warn: Warn, *, ours: bool = False, purpose: Purpose = FOR_BROKER) -> None:
        self._path = path
        self._purpose = purpose
        self._ours = ours
        self._warn = warn
        self._sent_file: int | None = None
        # Guards the file of the last delivered number, which another thread writes, too.
        self._marking = threading.Lock()
        self._connection = self._open()
        try:
            self._sent_file, self._sent = self._open_sent()
            self._marked = self._sent
            with _medium_errors():
                count, last = self._connection.execute(
                    "SELECT count(*), max(number) FROM messages WHERE number > ?", (self._sent,)
                ).fetchone()
        except BaseException:
            self._connection.close()
            raise
        self._count: int = count
        self.last = max(self._sent, last or 0)

    def __len__(self) -> int:
        return self._count

    def append(self, messages: Sequence[Spooled]) -> None:
        """Commit messages; their numbers are above those of all before.

        Raises:
            MediumError: if that is not possible; then none of them is on the medium.
        """
        with _medium_errors(), self._connection:
            self._connection.execute("DELETE FROM messages WHERE number <= ?", (self._sent,))
            self._connection.executemany(
                "INSERT INTO messages (number, topic, payload, retain) VALUES (?, ?, ?, ?)",
                [(number, *message) for number, message in messages],
            )
        self._count += len(messages)

    def after(self, number: int, limit: int) -> list[Spooled]:
        """The first ``limit`` messages after ``number``.

        Raises:
            MediumError: if they cannot be read.
        """
        with _medium_errors():
            rows = self._connection.execute(
                "SELECT number, topic, payload, retain FROM messages WHERE number > ? ORDER BY number LIMIT ?",
                (max(number, self._sent), limit),
            ).fetchall()
        return [Spooled(row[0], MqttMessage(row[1], row[2], bool(row[3]))) for row in rows]

    def mark(self, number: int) -> None:
        """Note that a message is delivered, so that the next run does not send it again; any thread may call this.

        It still has to be removed, which also notes what cannot be noted now.
        """
        with self._marking, suppress(OSError):
            if number == self._marked + 1 and self._sent_file is not None:
                os.pwrite(self._sent_file, _sent_text(number), len(SENT_START))
                self._marked = number

    def remove(self, number: int) -> None:
        """Remove a message, if it is there.

        Raises:
            MediumError: if that is not possible.
        """
        with _medium_errors():
            first = self._connection.execute(
                "SELECT min(number) FROM messages WHERE number > ?", (self._sent,)
            ).fetchone()[0]
            if first is None or number < first:
                return
            if number == first:
                self._mark_up_to(number)
                self._sent = number
                self._count -= 1
                return
            with self._connection:
                removed = self._connection.execute("DELETE FROM messages WHERE number = ?", (number,)).rowcount
            self._count -= removed

    def close(self) -> None:
        """Delete what was delivered, and leave the rest for the next run."""
        # If that fails, the number of the last delivered message is still on the medium.
        with suppress(MediumError):
            self.append(())
        self._connection.close()
        with self._marking:
            if self._sent_file is not None:
                os.close(self._sent_file)
                self._sent_file = None

    def _mark_up_to(self, number: int) -> None:
        with self._marking:
            if number > self._marked and self._sent_file is not None:
                os.pwrite(self._sent_file, _sent_text(number), len(SENT_START))
                self._marked = number

    def _open_sent(self) -> tuple[int, int]:
        path = self._path.with_name(self._path.name + ".sent")
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        except OSError as error:
            raise self._trouble(error) from error
        try:
            content = os.pread(file, 200, 0) if path.is_file() else b"something else"
            if not SENT_START.startswith(content[: len(SENT_START)]):
                raise self._unusable("something else, which would be damaged", path)
            sent = _sent_number(content)
            if sent is None:
                sent = 0
                if os.pwrite(file, SENT_START + _sent_text(0), 0) < len(SENT_START + _sent_text(0)):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except (OSError, SetupError) as error:
            os.close(file)
            raise (self._trouble(error) if isinstance(error, OSError) else error) from error
        return file, sent

    def _open(self) -> sqlite3.Connection:
        own: bool | None = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            own = self._is_own()
            if own is False:
                raise self._unusable("something else, which would be damaged")
            # SQLite does not say why it cannot open a file.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
            return _connect(self._path, self._purpose.every_commit)
        except _ForeignDatabaseError as error:
            raise self._unusable(error) from error
        except (sqlite3.OperationalError, OSError) as error:
            raise self._trouble(error) from error
        except sqlite3.DatabaseError as error:
            if not own:
                raise self._unusable(f"a damaged database ({error})") from error
            return self._start_again(error)

    def _start_again(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        aside = self._free_name()
        self._warn(f"{self._path}: {error}; renamed to {aside.name}, and a new one started")
        try:
            self._path.replace(aside)
            return _connect(self._path, self._purpose.every_commit)
        except (sqlite3.DatabaseError, OSError) as again:
            raise self._trouble(again) from again

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

    def _trouble(self, error: OSError | sqlite3.Error) -> MediumError | SetupError:
        """The error for a file that cannot be opened: of the medium, which may pass, or of the path."""
        if isinstance(error, OSError):
            passing = error.errno in _MEDIUM_ERRNOS
            return MediumError(cause_of(error)) if passing else self._unusable(cause_of(error))
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return MediumError(str(error)) if code in _MEDIUM_CODES else self._unusable(error)

    def _unusable(self, found: object, path: Path | None = None) -> SetupError:
        return SetupError(
            path or self._path,
            found=found,
            expected=f"a place to keep messages while {self._purpose.receiver} is away, used by no other process",
            next_step=f"choose another with {self._purpose.option}",
        )


class _ForeignDatabaseError(Exception):
    """A sound SQLite database of another program."""


@contextmanager
def _medium_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        passing = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
        raise MediumError(error, reopen=not passing) from error
    except OSError as error:
        raise MediumError(cause_of(error)) from error


def _sent_text(number: int) -> bytes:
    digits = b"%020d" % number
    return b"%s %08x\n" % (digits, zlib.crc32(digits))


def _sent_number(content: bytes) -> int | None:
    """The number in the content of ``NAME.sent``; None if it is torn."""
    digits = content[len(SENT_START) : len(SENT_START) + 20]
    whole = digits.isdigit() and content[len(SENT_START) :] == _sent_text(int(digits))
    return int(digits) if whole else None


def _check_tables(connection: sqlite3.Connection) -> None:
    """Refuse a database with tables that no spool has, before anything of it is changed."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = tuple(row[1] for row in connection.execute("PRAGMA table_info(messages)"))
    if tables - {"messages", "sqlite_sequence"} or columns not in ((), COLUMNS):
        raise _ForeignDatabaseError("a database of another program")


def _use_small_pages(connection: sqlite3.Connection) -> None:
    """Rebuild the empty spool of an earlier version, which has larger pages and a table of used numbers."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and (
        connection.execute("PRAGMA page_size").fetchone()[0] == PAGE_BYTES
        or connection.execute("SELECT count(*) FROM messages").fetchone()[0]
    ):
        return
    if tables:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("DROP TABLE messages")
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    if tables:
        connection.execute("VACUUM")


def _connect(path: Path, every_commit: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        # Exclusive, so that a second process fails instead of sending everything twice.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _check_tables(connection)
        # A topic of damaged bytes is sent as what can be read of it, rather than nothing that comes after it.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        _use_small_pages(connection)
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if every_commit else 'NORMAL'}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(str(damage).splitlines()[0])
        with connection:
            connection.execute(SCHEMA)
    except UnicodeDecodeError as error:
        connection.close()
        raise sqlite3.DatabaseError("names that are no text") from error
    except (sqlite3.Error, _ForeignDatabaseError):
        connection.close()
        raise
    return connection
