"""What the page asks and is told, as Python values; no HTTP."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

import numpy as np

from deseptr.contract import SetupError, unit_of

from .colours import AXES, LABELS
from .labelling import LONGEST_NAME, MOST_NAMES, Labelling
from .store import ChangedElsewhereError, LabelStore


class Conversation:
    """One at a time reads or changes the labels of a store.

    Every change counts ``revision`` up, and must name the one that it was made on: of two windows with the same labels,
    the second to write is told so, and overwrites nothing.
    """

    def __init__(self, store: LabelStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._revision = 0
        self._finished = False

    def state(self) -> dict[str, Any]:
        """Everything but the signals, for a page that begins."""
        with self._lock:
            store = self._store
            return {
                "name": store.dataset.name,
                "output": store.out.name,
                "revision": self._revision,
                "saved": self._saved(),
                "labels": store.labelling.to_json(),
                "unsaved": store.unsaved.to_json() if store.unsaved else None,
                "recordings": [
                    {"title": r.title, "rate_hz": r.rate_hz, "samples": len(r)} for r in store.dataset.recordings
                ],
                "channels": [{"name": channel, "unit": unit_of(channel)} for channel in store.dataset.channels],
                "colours": {"axes": AXES, "labels": LABELS},
                "limits": {"name": LONGEST_NAME, "names": MOST_NAMES},
            }

    def signals(self, index: str) -> bytes:
        """Samples of a recording: float32, little-endian, one channel after the other.

        Raises:
            KeyError: if there is no such recording.
        """
        recordings = self._store.dataset.recordings
        if index not in map(str, range(len(recordings))):
            raise KeyError(index)
        return np.ascontiguousarray(recordings[int(index)].signals.T, "<f4").tobytes()

    def save(self, content: Any) -> dict[str, Any]:
        """Write the labelled file.

        Raises:
            DataError: if the content is no labels.
            ChangedElsewhereError: if somebody else has changed them.
            SetupError: if the file cannot be written.
        """
        with self._lock:
            self._store.save(self._checked(content))
            self._revision += 1
            return {"revision": self._revision, "saved": self._saved()}

    def keep(self, content: Any) -> dict[str, Any]:
        """Keep unsaved labels beside the labelled file; labels that are the saved ones leave nothing there.

        Raises:
            DataError, ChangedElsewhereError, SetupError: as :meth:`save`.
        """
        with self._lock:
            labelling = self._checked(content)
            if labelling.named() == self._store.labelling.named():
                self._store.forget()
            else:
                self._store.keep(labelling)
            self._revision += 1
            return {"revision": self._revision, "saved": self._saved()}

    def finish(self) -> LabelStore:
        """The store, once nothing is being written; nothing is from then on."""
        with self._lock:
            self._finished = True
            return self._store

    def _checked(self, content: Any) -> Labelling:
        if self._finished:
            raise SetupError(
                "labels", found="a command that has ended", expected="a running one", next_step="start it again"
            )
        if not isinstance(content, dict) or content.get("revision") != self._revision:
            raise ChangedElsewhereError(
                "labels",
                found="changes from another window",
                expected="one window at a time",
                next_step="reload the page",
            )
        return Labelling.from_json(content, self._store.lengths)

    def _saved(self) -> dict[str, Any] | None:
        saved = self._store.saved
        return asdict(saved) if saved else None
