"""A take on disk: one activity of one subject as a CSV file that is only appended to.

The file is readable at any moment, after a power cut too: every line is written whole and in order, the lines are
forced to the disk every second, and ``deseptr.data`` ignores an incomplete last line. No reader needs the last column,
the sensor's name: a line cut within it has lost nothing, and one cut before it lacks a column.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, SetupError
from deseptr.contract.counts import counted

SYNC_NS = 1_000_000_000


class TakeFile:
    """A new file ``SUBJECT_LABEL_TAKE.csv``; the take number is one above the highest in the folder.

    Each recording in it is a stretch of samples without a gap.

    Args:
        folder: an existing folder.
        subject: name of the wearer.
        label: the activity.
        sensor: the sensor's name, for the last column.
        now_ns: present time, from which the syncs count.
        channels: names of the sensor's channels.

    Raises:
        SetupError: if the file cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        subject: str,
        label: str,
        sensor: str,
        now_ns: int,
        channels: Sequence[str] = CHANNELS,
    ) -> None:
        self._texts = (label, subject), sensor
        self._columns = ("t", *channels, "label", "subject", "recording", "sensor")
        self._synced_ns = now_ns
        self._part = 1
        self.samples = 0
        stem = f"{_slug(subject)}_{_slug(label)}"
        self.path = folder / stem
        with self._disk_errors():
            self.take, self.path, self._file = _create(folder, stem)
        self._tail = self._make_tail()

    @property
    def recording(self) -> str:
        """Name of the recording that samples go into: ``walking-3``, and after a gap ``walking-3.2``."""
        name = f"{_slug(self._texts[0][0])}-{self.take}"
        return name if self._part == 1 else f"{name}.{self._part}"

    def append(self, t_s: NDArray[np.float64], signals: NDArray[np.float32], now_ns: int) -> None:
        """Write samples, and force the file to the disk once a second.

        Args:
            t_s: ``[n]``, seconds since the take began, rising.
            signals: ``[n, channel]`` in m/s^2 and rad/s; written with the digits that restore each float32 exactly.
            now_ns: present time.

        Raises:
            SetupError: if the disk is full or fails; what was written before stays.
        """
        lines = "".join(self._lines(t_s, signals))
        if not self.samples:
            lines = ",".join(self._columns) + "\n" + lines
        with self._disk_errors():
            if len(signals):
                _write(self._file, lines.encode())
                self.samples += len(signals)
            if now_ns - self._synced_ns >= SYNC_NS:
                os.fsync(self._file)
                self._synced_ns = now_ns

    def begin_recording(self) -> None:
        """Begin another recording after a loss of samples."""
        if self.samples:
            self._part += 1
            self._tail = self._make_tail()

    def close(self) -> None:
        """Force the file to the disk and close it; remove it if it has no samples."""
        with suppress(OSError):
            if self.samples:
                os.fsync(self._file)
            else:
                self.path.unlink()
        os.close(self._file)

    def _make_tail(self) -> str:
        texts, sensor = self._texts
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(("", *texts, self.recording, sensor))
        return line.getvalue()

    def _lines(self, t_s: NDArray[np.float64], signals: NDArray[np.float32]) -> Iterator[str]:
        # Rows of `signals.astype(str)` would lose the exception of a signal handler, Ctrl-C's: numpy swallows it.
        for t, row in zip(t_s.tolist(), signals, strict=True):
            yield f"{t:.6f},{','.join(map(str, row))}{self._tail}"

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kept = f"the {counted(self.samples, 'sample')} of this take so far are kept; " if self.samples else ""
            raise SetupError(
                self.path,
                found=error.strerror or error,
                expected="room and permission to write",
                next_step=f"{kept}free space or choose another folder, and record again",
            ) from error


def prepare_folder(folder: Path, option: str = "--output") -> None:
    """Make the folder if it does not exist.

    Args:
        folder: for recordings.
        option: that names it.

    Raises:
        SetupError: if that fails, or it cannot be written.
    """
    found = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            found = "no permission to write"
    except OSError as error:
        found = error.strerror
    if found:
        raise SetupError(
            folder, found=found, expected="a writable folder", next_step=f"choose another one with {option}"
        )


def _create(folder: Path, stem: str) -> tuple[int, Path, int]:
    pattern = re.compile(re.escape(stem) + r"_(\d{1,9})\.csv")
    takes = [int(match[1]) for name in os.listdir(folder) if (match := pattern.fullmatch(name))]  # noqa: PTH208 - names
    take = max(takes, default=0)
    while True:
        take += 1
        path = folder / f"{stem}_{take}.csv"
        # Another recorder may have made the file meanwhile.
        with suppress(FileExistsError):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
            break
    _sync_folder(folder)
    return take, path, file


def _sync_folder(folder: Path) -> None:
    """Force the file's name to the disk, as its content is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _slug(text: str) -> str:
    """``text`` as a part of a file's name."""
    return re.sub(r"[^\w-]+", "-", text).strip("-_") or "x"
