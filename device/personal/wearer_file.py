"""The file of a wearer, ``WEARER.deseptr``: what was recorded of them as one model sees it, and the model's hash.

It is JSON of numbers and names, never code. The correction is computed from it when it is read, in closed form, so that
sessions can be added and undone. The hash is of the model's graph: another decision or temperature in its contract
leaves the file valid.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, DataError, Mounting, SetupError, atomic_write
from deseptr.contract.input_files import parse_json, read_input
from deseptr.contract.known_windows import statistics_count
from deseptr.contract.model_contract import WIDEST_EMBEDDING
from deseptr.contract.visible_text import visible
from deseptr.tflite import TfliteFile, without_archive

from .recorded import Recorded, joined

FORMAT = "deseptr wearer 3"
# Its sessions lack the mounting.
_BEFORE = "deseptr wearer 2"
LARGEST = 1 << 24
# The regression for a new label takes their square in memory, on a board too.
MOST_WINDOWS = 1500
MOST_LABELS = 1000
# Of an accelerometer and a gyroscope.
MOST_STATISTICS = statistics_count(CHANNELS)
LONGEST_NAME = 200
_LARGEST_VALUE = 1e6
_LONGEST_PLACE = 2**53
_KEYS = {"format", "wearer", "model", "labels", "new_labels", "embedding_width", "statistics_width", "sessions"}
_ARRAYS = {
    "labels": "<i4",
    "stretches": "<i4",
    "places": "<i8",
    "logits": "<f4",
    "embeddings": "<f4",
    "statistics": "<f4",
}


@dataclass(frozen=True, eq=False)
class WearerFile:
    """What was recorded of a wearer.

    Args:
        wearer: the name.
        model: SHA-256 of the model's graph, hexadecimal.
        labels: the model's.
        new_labels: labels that the model lacks, in the order in which they were added.
        sessions: at least one, the latest last.
    """

    wearer: str
    model: str
    labels: tuple[str, ...]
    new_labels: tuple[str, ...]
    sessions: tuple[Recorded, ...]

    @property
    def recorded(self) -> Recorded:
        """The windows of all sessions."""
        return joined(self.sessions)

    def counts(self) -> dict[str, int]:
        """Number of windows of each label that was recorded."""
        names = (*self.labels, *self.new_labels)
        found, counts = np.unique(self.recorded.labels, return_counts=True)
        return {names[label]: int(count) for label, count in zip(found, counts, strict=True)}

    @property
    def mountings(self) -> tuple[str, ...]:
        """Names of the turns for which the sessions were corrected, each once, without what is not known."""
        return tuple(dict.fromkeys(each.mounting for each in self.sessions if each.mounting is not None))

    def with_session(self, later: WearerFile) -> WearerFile:
        """This file with the sessions of a later one of the same wearer and model, whose new labels it takes over.

        Raises:
            DataError: if it is of another wearer or model.
        """
        if (later.wearer, later.model) != (self.wearer, self.model):
            raise DataError(
                f"wearer {later.wearer}",
                found=f"a file of {self.wearer}{'' if later.model == self.model else ' for another model'}",
                expected="one of the same wearer and model",
                next_step="write to another file with -o",
            )
        new = (*self.new_labels, *(name for name in later.new_labels if name not in self.new_labels))
        own = len(self.labels)
        table = np.array([*range(own), *(own + new.index(name) for name in later.new_labels)])
        sessions = tuple(replace(each, labels=table[each.labels]) for each in later.sessions)
        return replace(self, new_labels=new, sessions=(*self.sessions, *sessions))

    def undone(self) -> WearerFile | None:
        """The file without its latest session, and without labels that only this had; None if it was the only one."""
        if len(self.sessions) == 1:
            return None
        left = self.sessions[:-1]
        count = max(int(each.labels.max()) for each in left) + 1 - len(self.labels)
        return replace(self, sessions=left, new_labels=self.new_labels[: max(0, count)])

    def check_of(self, wearer: str, source: object) -> None:
        """Refuse a file of another wearer.

        Raises:
            DataError: if it is.
        """
        if check_wearer(wearer) != self.wearer:
            raise DataError(
                source,
                found=f"the file of {self.wearer}",
                expected=f"that of {wearer}",
                next_step="name another file with -o",
            )

    def check_model(self, model: TfliteFile, source: object) -> None:
        """Refuse a file that was made for another model.

        Raises:
            DataError: if it was.
        """
        found, contract = model_hash(model), model.contract
        first, widths = self.sessions[0], (contract.embedding_width or 0, statistics_count(contract.channels))
        same = (first.embeddings.shape[1], first.statistics.shape[1]) == widths
        if (found, contract.labels) != (self.model, self.labels) or not same:
            raise DataError(
                source,
                found=f"what {self.wearer} recorded for the model {self.model[:12]}",
                expected=f"for {model.path.name}, {found[:12]}",
                next_step="run that model, or record again with `deseptr device personalise`",
            )

    @classmethod
    def load_for(cls, path: str | Path, model: TfliteFile) -> WearerFile:
        """Read a file that was made for a model.

        Raises:
            DataError: as :meth:`load` and :meth:`check_model`.
        """
        read = cls.load(path)
        read.check_model(model, path)
        return read

    def to_json(self) -> str:
        """The content of the file; equal files give equal text."""
        content = {
            "format": FORMAT,
            "wearer": self.wearer,
            "model": self.model,
            "labels": list(self.labels),
            "new_labels": list(self.new_labels),
            "embedding_width": self.sessions[0].embeddings.shape[1],
            "statistics_width": self.sessions[0].statistics.shape[1],
            "sessions": [_written(each) for each in self.sessions],
        }
        return json.dumps(content, indent=1) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all."""
        atomic_write(path, self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> WearerFile:
        """Read a file that :meth:`save` wrote.

        Raises:
            DataError: if it cannot be read, or is none.
        """
        try:
            return _file_of(parse_json(read_input(path, LARGEST)))
        except OSError as error:
            named = Path(f"{path}.deseptr")
            step = (f"name it by its file, {named}",) if named.is_file() else ()
            raise _refused(path, error.strerror or "no file", *step) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _refused(path, f"something else ({error})") from error


def model_hash(model: TfliteFile) -> str:
    """SHA-256 of a model's graph, hexadecimal."""
    return hashlib.sha256(without_archive(model.content)).hexdigest()


def check_wearer(name: str, what: str = "wearer") -> str:
    """A name that a wearer's file can hold, without blanks around it.

    Args:
        name: of the wearer, or of a new label.
        what: it is, for the message.

    Raises:
        DataError: if it is empty, too long or does not print.
    """
    stripped = name.strip()
    if not _is_name(stripped):
        raise DataError(
            what,
            found=repr(name),
            expected=f"a name of 1 to {LONGEST_NAME} printable characters",
            next_step="choose another name",
        )
    return stripped


def _file_of(content: Any) -> WearerFile:
    if not isinstance(content, dict) or content.get("format") not in (_BEFORE, FORMAT) or content.keys() != _KEYS:
        raise ValueError(f"no {FORMAT!r} with its fields")
    keys = {*_ARRAYS} if content["format"] == _BEFORE else {*_ARRAYS, "mounting"}
    labels, new = _names(content["labels"]), _names(content["new_labels"])
    wearer, model, sessions = (content[name] for name in ("wearer", "model", "sessions"))
    widths = content["embedding_width"], content["statistics_width"]
    _require(len({*labels, *new}) == len(labels) + len(new) and len(labels) > 1, "labels that differ")
    _require(_is_name(wearer), "a wearer's name")
    _require(isinstance(model, str) and len(model) == 64 and set(model) <= set("0123456789abcdef"), "a SHA-256")
    for width, most, name in zip(widths, (WIDEST_EMBEDDING, MOST_STATISTICS), ("embedding", "statistics"), strict=True):
        _require(type(width) is int and 0 <= width <= most, f"a width of the {name}")
    _require(isinstance(sessions, list) and bool(sessions), "a session")
    _require(all(isinstance(each, dict) and each.keys() == keys for each in sessions), "the fields of a session")
    read = tuple(_session(each, len(labels), len(new), widths) for each in sessions)
    _require(sum(map(len, read)) <= MOST_WINDOWS, f"at most {MOST_WINDOWS} windows")
    return WearerFile(wearer, model, labels, new, read)


def _session(content: Any, classes: int, new: int, widths: tuple[int, int]) -> Recorded:
    arrays = {name: _decoded(content[name], kind) for name, kind in _ARRAYS.items()}
    labels, stretches, places = (arrays[name].astype(np.int64) for name in ("labels", "stretches", "places"))
    count = len(labels)
    _require(0 < count <= MOST_WINDOWS, "windows in every session")
    _require(bool((labels >= 0).all() and (labels < classes + new).all()), "labels within range")
    _require(len(stretches) == len(places) == count and bool((np.diff(stretches) >= 0).all()), "an order of windows")
    _require(bool((stretches >= 0).all() and (places >= 0).all() and (places < _LONGEST_PLACE).all()), "places")
    _require(len(arrays["logits"]) == count * classes, f"{count} windows' logits")
    for name, width in zip(("embeddings", "statistics"), widths, strict=True):
        _require(len(arrays[name]) == count * width, f"{count} windows' {name}")
    for name in ("logits", "embeddings", "statistics"):
        # Not a number is in no range.
        _require(bool((np.abs(arrays[name]) <= _LARGEST_VALUE).all()), f"finite {name}")
    logits = arrays["logits"].reshape(count, classes)
    embeddings, statistics = (
        arrays[name].reshape(count, width) for name, width in zip(("embeddings", "statistics"), widths, strict=True)
    )
    return Recorded(logits, embeddings, labels, stretches, places, statistics, _mounting(content.get("mounting")))


def _mounting(name: Any) -> str | None:
    """The name of a turn, the shortest one."""
    _require(name is None or isinstance(name, str), "a mounting")
    try:
        return None if name is None else Mounting.named(name).name
    except SetupError as error:
        raise ValueError(f"not a mounting: {error.found}") from error


def _written(session: Recorded) -> dict[str, str | None]:
    arrays = {name: _encoded(getattr(session, name), kind) for name, kind in _ARRAYS.items()}
    return {**arrays, "mounting": session.mounting}


def _encoded(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode("ascii")


def _decoded(text: Any, kind: str) -> NDArray[Any]:
    _require(isinstance(text, str), "arrays in Base64")
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), kind)
    except binascii.Error as error:
        raise ValueError(f"broken Base64: {error}") from error


def _names(values: Any) -> tuple[str, ...]:
    _require(isinstance(values, list) and len(values) <= MOST_LABELS and all(map(_is_name, values)), "names of labels")
    return tuple(values)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= LONGEST_NAME and visible(value) == value


def _require(condition: bool, expected: str) -> None:
    if not condition:
        raise ValueError(f"not {expected}")


def _refused(
    path: str | Path,
    found: str,
    next_step: str = "make it again with `deseptr personalise` or `deseptr device personalise`",
) -> DataError:
    return DataError(path, found=found, expected="the file of a wearer, WEARER.deseptr", next_step=next_step)
