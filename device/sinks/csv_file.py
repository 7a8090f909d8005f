"""A CSV file of events that survives power cuts and full disks, in a bounded amount of space.

The current file has the given name; the earlier ones are ``NAME.1`` (the latest) to ``NAME.<keep - 1>``. Each row is
one write, passed to the system at once and forced onto the medium every few seconds. A row that a power cut left
incomplete is removed when the file is opened again. Files that do not begin as such a file does are left as they are:
none is repaired, renamed or replaced.

A label that a wearer brings while the file is written begins a new file, whose header has its column; if that would
cost the oldest file, the column comes when the current one is full. All rows of a file have the columns of its header.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deseptr.contract import SetupError
from deseptr.contract.counts import counted
from deseptr.device.clock import Clock, SystemClock
from deseptr.device.events import Event, WindowEvent

from .csv_rows import COLUMNS, cells_of, line_of, plain, six
from .losses import Losses, Warn, cause_of

# Columns of every file, before those of the labels.
_START = ",".join(COLUMNS).encode()
MEBIBYTE = 1 << 20
_LONGEST_HEADER = MEBIBYTE
# Errors of the medium, which may be temporary; at the start, any other error is one of the path.
TRANSIENT = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


class _ForeignFileError(OSError):
    """A file that this module did not write; ``filename`` names it."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EEXIST, f"{path.name} is not a file of this output", str(path))


class CsvFile:
    """Appends one row per event to a file, and rotates the file when it is full.

    Args:
        path: the file.
        labels: the model's labels, for the columns ``p_<label>``.
        learned: labels that a wearer has beside them at first; their columns follow.
        wearer: whether wearers may bring labels; there is a last column ``wearer``, for whom the model is corrected.
        warn: called after repairs, when the medium fails, and when it works again.
        max_bytes: size that a file does not exceed.
        keep: number of files to keep, the current one included.
        sync_s: time between forcing rows onto the medium, seconds; a power cut may lose the rows of that time.
        clock: measures that time.
        wall: gives seconds since 1970, for the column ``time``.

    Raises:
        SetupError: if the file cannot be made there, or another process writes it, or it or one of its earlier files is
            something else.
    """

    def __init__(
        self,
        path: Path,
        labels: tuple[str, ...],
        warn: Warn,
        *,
        learned: tuple[str, ...] = (),
        wearer: bool = False,
        max_bytes: int = 10 * MEBIBYTE,
        keep: int = 10,
        sync_s: float = 5.0,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._labels = tuple(map(plain, labels))
        self._last = ("wearer",) if wearer else ()
        # Beside the model's labels: those of the run so far. `_shown` are those that the current file has columns for.
        self._learned = tuple(map(plain, learned))
        self._show(self._learned)
        # Whether no new file could be begun, which is then tried again when the current one is full.
        self._stuck = False
        self._warn = warn
        self._max_bytes = max_bytes
        self._keep = keep
        self._sync_ns = round(sync_s * 1e9)
        self._clock = clock or SystemClock()
        self._wall = wall
        self._file: int | None = None
        self._size = 0
        self._synced_ns = self._clock.now_ns()
        self.losses = Losses(str(path), warn)
        try:
            self._check_numbered()
            self._open()
        except _ForeignFileError as error:
            raise _foreign(error) from error
        except OSError as error:
            if error.errno not in TRANSIENT:
                raise _unusable(path, error) from error

    def take(self, event: Event) -> None:
        """Write one row; drop it if the medium refuses."""
        try:
            self._append(event)
        except OSError as error:
            self.losses.lost(cause_of(error))
        else:
            self.losses.kept()

    def close(self) -> None:
        """Force the rows onto the medium and close the file."""
        try:
            self._sync_and_close()
        except OSError as error:
            self._warn(f"{self._path}: {cause_of(error)}; its last rows may be missing")

    def _append(self, event: Event) -> None:
        if self._file is None:
            self._open()
        if self._last and isinstance(event, WindowEvent):
            self._learn(event)
        row = self._row(event)
        if self._size + len(row) > self._max_bytes and self._size > len(self._header):
            self._rotate()
            row = self._row(event)
        self._write(row)
        now_ns = self._clock.now_ns()
        if now_ns - self._synced_ns >= self._sync_ns:
            self._synced_ns = now_ns
            os.fdatasync(self._descriptor())

    def _show(self, learned: tuple[str, ...]) -> None:
        self._shown, self._header = learned, self._line_of(learned)

    def _line_of(self, learned: tuple[str, ...]) -> bytes:
        return line_of([*COLUMNS, *(f"p_{label}" for label in (*self._labels, *learned)), *self._last])

    def _learn(self, window: WindowEvent) -> None:
        """Have columns for labels that were not there before: in a new file, if that costs no row."""
        new = [label for label in map(plain, window.probabilities) if label not in (*self._labels, *self._learned)]
        self._learned = (*self._learned, *dict.fromkeys(new))
        if not new or {*self._learned} <= {*self._shown}:
            return
        if not self._has_room():
            names = ", ".join(new)
            self._warn(f"{self._path}: no file is left for the column of {names}; it comes when this one is full")
            return
        try:
            self._rotate()
        except OSError as error:
            # Rows go on in the file of before, if they can.
            self._stuck = True
            self._warn(f"{self._path}: {cause_of(error)}; no column for {', '.join(new)} until a new file can be begun")
            if self._file is None:
                self._open()

    def _has_room(self) -> bool:
        """Whether the next file costs none of the earlier ones."""
        return not self._stuck and not self._numbered(self._keep - 1).exists()

    def _continues(self, file: int) -> bool:
        """Whether rows can go on below the header of an open file, whose columns are then those of the rows."""
        found = self._learned_in(os.pread(file, min(self._size, _LONGEST_HEADER), 0))
        if found is None or not ({*self._learned} <= {*found} or not self._has_room()):
            return False
        self._show(found)
        return True

    def _learned_in(self, content: bytes) -> tuple[str, ...] | None:
        """Labels beside the model's in a file's header; None if it is of another model, or of runs without a wearer."""
        try:
            columns = next(csv.reader([content[: content.find(b"\n") + 1].decode()]), [])
        except (UnicodeDecodeError, csv.Error):
            return None
        first = [*COLUMNS, *(f"p_{label}" for label in self._labels)]
        last = len(columns) - len(self._last)
        if columns[: len(first)] != first or tuple(columns[last:]) != self._last or last < len(first):
            return None
        found = tuple(name.removeprefix("p_") for name in columns[len(first) : last])
        # Otherwise a row's cells would not be what the header says.
        same = self._line_of(found) == line_of(columns) and len({*found}) == len(found)
        return found if same and (self._last or not found) else None

    def _write(self, data: bytes) -> None:
        file = self._descriptor()
        written = os.write(file, data)
        if written == len(data):
            self._size += written
            return
        # The disk became full within the row.
        os.ftruncate(file, self._size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _check_own(self._file, self._path)
            self._size = self._repair(self._file)
            if not self._size:
                self._show(self._learned)
                self._write(self._header)
                self._stuck = False
                _sync_folder(self._path.parent)
            elif not self._continues(self._file):
                self._rotate()
        except OSError:
            self._close_descriptor()
            raise

    def _repair(self, file: int) -> int:
        size = os.fstat(file).st_size
        good = end_of_last_line(file, size)
        if good < size:
            os.ftruncate(file, good)
            self._warn(f"{self._path}: removed an incomplete row of {counted(size - good, 'byte')}")
        return good

    def _check_numbered(self) -> None:
        for number in range(1, self._keep):
            path = self._numbered(number)
            if path.exists():
                file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    _check_own(file, path)
                finally:
                    os.close(file)

    def _rotate(self) -> None:
        self._check_numbered()
        self._sync_and_close()
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if self._keep == 1:
            self._path.unlink()
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path

    def _sync_and_close(self) -> None:
        if self._file is not None:
            try:
                os.fdatasync(self._file)
            finally:
                self._close_descriptor()

    def _close_descriptor(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _descriptor(self) -> int:
        if self._file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._file

    def _row(self, event: Event) -> bytes:
        fields = cells_of(event)
        given = event.probabilities if isinstance(event, WindowEvent) else {}
        probabilities = {plain(label): value for label, value in given.items()}
        now = datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds")
        values = [now, f"{event.t:.6f}", *(fields.get(column, "") for column in COLUMNS[2:])]
        last = (fields.get(column, "") for column in self._last)
        return line_of([*values, *(six(probabilities.get(label)) for label in (*self._labels, *self._shown)), *last])


def end_of_last_line(file: int, size: int, step: int = 65536) -> int:
    """Offset behind the last newline of an open file; 0 if it has none.

    Args:
        file: descriptor.
        size: of the file, in bytes.
        step: bytes to read at once, from the end backwards.
    """
    for start in range(max(0, size - step), -step, -step):
        newline = os.pread(file, min(step, size), max(0, start)).rfind(b"\n")
        if newline >= 0:
            return max(0, start) + newline + 1
    return 0


def _check_own(file: int, path: Path) -> None:
    """Refuse an open file that is not a regular one, or that does not begin with the columns, whole or torn."""
    if not stat.S_ISREG(os.fstat(file).st_mode) or not _START.startswith(os.pread(file, len(_START), 0)):
        raise _ForeignFileError(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _foreign(error: OSError) -> SetupError:
    return SetupError(
        error.filename,
        found="something else, which would be damaged",
        expected="a file that `deseptr device run --csv` wrote, or none",
        next_step="choose another with --csv",
    )


def _unusable(path: Path, error: OSError) -> SetupError:
    if error.errno == errno.EAGAIN:
        return SetupError(
            path,
            found="another process writing it",
            expected="a file that no other process uses",
            next_step="choose another with --csv",
        )
    return SetupError(
        path,
        found=cause_of(error),
        expected="a folder that exists and may be written",
        next_step="make it, or choose another with --csv",
    )
