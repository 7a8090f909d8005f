"""TensorBoard log of a training run: scalars of every epoch and the final confusion matrices, a folder for each stage.

It needs the tensorboard package alone, whatever the backend of Keras is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from deseptr.contract import atomic_path
from deseptr.report.html.figures import confusion_png
from deseptr.train import RunFolder

SCALARS = ("loss", "val_macro_f1", "val_accuracy", "learning_rate", "windows_per_s")


class TensorBoardLog:
    """Reporter of a training run that writes ``RUN/tensorboard/STAGE``, one event for each epoch.

    A resumed stage is written again from the run's history, so that the log has each epoch once. The events logged
    before keep their bytes, so that a running TensorBoard continues to read.

    Args:
        run: folder of the run; nothing is written to it before the first stage begins.
    """

    def __init__(self, run: Path) -> None:
        self._run = RunFolder(run)
        self._events = run

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        """A stage begins."""
        self._events = self._file(name, "epochs")
        self._events.parent.mkdir(parents=True, exist_ok=True)
        rows = [row for row in self._history() if row["stage"] == name and row["epoch"] <= done]
        with self._events.open("wb") as file:
            _write(file, [_version(rows[0]["time"] if rows else time.time()), *map(_scalars, rows)])

    def batch(self, windows: int) -> None:
        """A step is done."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done."""
        with self._events.open("ab") as file:
            _write(file, [_scalars(row)])

    def stopped(self, epochs: int) -> None:
        """The stage ends early."""

    def confusions(self, metrics: dict[str, Any]) -> None:
        """Add the confusion matrices on the held-out subjects as images, from the content of ``metrics.json``."""
        for name in ("teacher", "student"):
            if name in metrics:
                picture = confusion_png(metrics[name]["labels"], metrics[name]["confusion"], metrics[name]["model"])
                with atomic_path(self._file(name, "test")) as temporary, temporary.open("wb") as file:
                    _write(file, [_version(time.time()), _image("test_confusion", picture)])

    def _file(self, stage: str, content: str) -> Path:
        """TensorBoard reads all files with ``tfevents`` in their names, in the order of the names."""
        return self._run.path / "tensorboard" / stage / f"events.out.tfevents.{content}"

    def _history(self) -> list[dict[str, Any]]:
        from deseptr.train.history import read_history

        return read_history(self._run.history) if self._run.history.exists() else []


def _version(seconds: float) -> Event:
    return Event(wall_time=seconds, file_version="brain.Event:2")


def _scalars(row: dict[str, Any]) -> Event:
    values = [Summary.Value(tag=name, simple_value=row[name]) for name in SCALARS if name in row]
    return Event(wall_time=row["time"], step=int(row["epoch"]), summary=Summary(value=values))


def _image(tag: str, png: bytes) -> Event:
    # A PNG file has its size in its first chunk, big-endian, from byte 16 on.
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    image = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
    return Event(wall_time=time.time(), summary=Summary(value=[Summary.Value(tag=tag, image=image)]))


def _write(file: BinaryIO, events: Iterable[Event]) -> None:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
