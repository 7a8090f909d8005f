"""A CSV file of events that survives power cuts and full disks, in a bounded amount of space.

The current file has the given name; the earlier ones are ``NAME.1`` (the latest) to ``NAME.<keep - 1>``. Each row is
one write, passed to the system at once and forced onto the medium every few seconds. A row that a power cut left
incomplete is removed when the file is opened again. Files that do not begin as such a file does are left as they are:
none is repaired, renamed or replaced.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError
from deseptr.device.clock import Clock, SystemClock
from deseptr.device.events import (
    AlarmEvent,
    DriftEvent,
    Event,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)

from .losses import Losses, Warn, cause_of

COLUMNS = ("time", "t", "event", "label", "confidence", "latency_us", "sample", "state", "detail")
# Columns of every file, before those of the labels.
_START = ",".join(COLUMNS).encode()
MEBIBYTE = 1 << 20
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
        wearer: whether there is a last column ``wearer``: for whom the model is corrected.
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
        wearer: bool = False,
        max_bytes: int = 10 * MEBIBYTE,
        keep: int = 10,
        sync_s: float = 5.0,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._labels = labels
        self._last = ("wearer",) if wearer else ()
        self._header = _line([*COLUMNS, *(f"p_{label}" for label in labels), *self._last])
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
            self._append(self._row(event))
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

    def _append(self, row: bytes) -> None:
        if self._file is None:
            self._open()
        if self._size + len(row) > self._max_bytes and self._size > len(self._header):
            self._rotate()
        self._write(row)
        now_ns = self._clock.now_ns()
        if now_ns - self._synced_ns >= self._sync_ns:
            self._synced_ns = now_ns
            os.fdatasync(self._descriptor())

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
            if self._size and os.pread(self._file, len(self._header), 0) != self._header:
                # The file is of another model and has other columns.
                self._rotate()
            elif not self._size:
                self._write(self._header)
                _sync_folder(self._path.parent)
        except OSError:
            self._close_descriptor()
            raise

    def _repair(self, file: int) -> int:
        size = os.fstat(file).st_size
        good = end_of_last_line(file, size)
        if good < size:
            os.ftruncate(file, good)
            self._warn(f"{self._path}: removed an incomplete row of {size - good} bytes")
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
        fields = _fields(event)
        probabilities = event.probabilities if isinstance(event, WindowEvent) else {}
        now = datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds")
        values = [now, f"{event.t:.6f}", *(fields.get(column, "") for column in COLUMNS[2:])]
        last = (fields.get(column, "") for column in self._last)
        return _line([*values, *(_six(probabilities.get(label)) for label in self._labels), *last])


def _fields(event: Event) -> dict[str, Any]:
    match event:
        case WindowEvent():
            return {
                "event": "window",
                "label": event.label,
                "confidence": _six(event.confidence),
                "latency_us": f"{event.latency_us:.3f}",
                "sample": event.sample,
                "state": event.state or "",
                "detail": event.unknown or "",
                "wearer": event.wearer or "",
            }
        case LabelEvent():
            change = _change(event, event.label)
            details = [f"from {event.previous}" if event.previous else "", event.reason or ""]
            return {"event": "label", "detail": ", ".join(filter(None, details))} | change
        case AlarmEvent():
            return {"event": "alarm", "detail": f"{event.key} {event.reason}"} | _change(event, event.state)
        case DriftEvent():
            mean, verdict = event.summary.mean_confidence, event.verdict
            # One object in one cell: other rows stay as they are, and so do their readers. Two spaces would become one.
            content = json.dumps(event.to_dict()["drift"], separators=(",", ":")).replace("  ", r" \u0020")
            state = "" if verdict is None else verdict.word
            return {
                "event": "drift",
                "confidence": _six(mean),
                "state": state,
                "detail": content,
                "wearer": event.wearer or "",
            }
        case _:
            return _of_sensor(event)


def _change(event: LabelEvent | AlarmEvent, state: str) -> dict[str, Any]:
    confidence = _six(event.confidence)
    return {"label": event.label, "confidence": confidence, "state": state, "wearer": event.wearer or ""}


def _of_sensor(event: GapEvent | ImplausibleEvent | MountingEvent | RateEvent | RecoveryEvent) -> dict[str, Any]:
    match event:
        case ImplausibleEvent():
            return {"event": "implausible", "detail": f"{event.finding} {event.count}{' ended' if event.ended else ''}"}
        case MountingEvent():
            return {"event": "mounting", "detail": f"{event.applied}: {event.meaning}"}
        case GapEvent():
            return {"event": "gap", "detail": f"{event.reason}, {event.lost_samples} samples"}
        case RecoveryEvent():
            return {"event": "recovery", "detail": f"{event.rung} {event.count}: {event.cause}"}
        case RateEvent():
            how = ", resampled" if event.resampled else ""
            return {"event": "rate", "detail": f"{event.rate_hz:.4f} of {event.nominal_hz:g} Hz{how}"}


def _six(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _line(values: list[Any]) -> bytes:
    text = io.StringIO()
    # A row never holds a newline, so that a row without one at its end is known to be incomplete.
    csv.writer(text, lineterminator="\n").writerow([" ".join(str(value).split()) for value in values])
    return text.getvalue().encode()


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
