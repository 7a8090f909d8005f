"""How a model is computed column by column: what a converter found of its graph, and a device must know of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from .errors import ModelError
from .input_files import parse_json

FORMAT = 1
_DIGEST = 64


@dataclass(frozen=True)
class Streaming:
    """Columns of a window, each computed once although many windows share it.

    Column j of a window that starts at sample s is computed from the samples ``s + j · stride`` to
    ``s + j · stride + length - 1`` alone, encoded as in a whole window. Its place in the window enters with the time
    graph, which takes ``columns`` successive columns, the oldest first: a device keeps them in a ring.

    >>> streaming = Streaming(column_length=48, column_stride=16, columns=6, whole_sha256="0" * 64)
    >>> streaming.span, streaming.new_columns(hop_length=16), streaming.new_columns(hop_length=8)
    (128, 1, 1)

    Args:
        column_length: samples of a column.
        column_stride: samples from the start of a column to that of the next.
        columns: columns of a window.
        whole_sha256: digest of the flatbuffer of the whole graph that the columns were cut from.

    Raises:
        ModelError: if a number is out of range.
    """

    column_length: int
    column_stride: int
    columns: int
    whole_sha256: str

    def __post_init__(self) -> None:
        for name in ("column_length", "column_stride", "columns"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= _LARGEST:
                raise _unreadable(f"streaming.{name}", f"{value!r}", f"a whole number, 1 to {_LARGEST}")
        if not isinstance(self.whole_sha256, str) or len(self.whole_sha256) != _DIGEST:
            raise _unreadable("streaming.whole_sha256", f"{self.whole_sha256!r:.80}", f"{_DIGEST} hexadecimal digits")

    @property
    def span(self) -> int:
        """Samples from the start of a window's first column to the end of its last."""
        return self.column_length + (self.columns - 1) * self.column_stride

    def new_columns(self, hop_length: int) -> int:
        """Columns that a window does not share with an earlier one, where windows start every ``hop_length`` samples.

        Windows whose starts differ by no multiple of the stride share no column: at half the stride, two sets of
        columns take turns.
        """
        hop = 1
        while hop * hop_length % self.column_stride:
            hop += 1
        return min(self.columns, hop * hop_length // self.column_stride)

    def pays(self, hop_length: int) -> bool:
        """Whether columns cost less than whole windows: with at most a third of them new.

        With more, the columns' overlaps and the calls of two graphs eat up what is saved.
        """
        return 3 * self.new_columns(hop_length) <= self.columns

    def to_json(self) -> str:
        """As indented JSON with sorted keys; equal ones give equal text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, source: object = "streaming") -> Streaming:
        """Read what :meth:`to_json` wrote.

        Raises:
            ModelError: if it is something else.
        """
        try:
            content = parse_json(text)
        except ValueError as error:
            raise _unreadable(source, f"no JSON ({error})") from error
        known = {"format", *(each.name for each in fields(cls))}
        if not isinstance(content, dict) or content.keys() != known or content.pop("format") != FORMAT:
            raise _unreadable(source, "other fields or another format")
        return cls(**content)


_LARGEST = 1_000_000


def _unreadable(
    source: object, found: str, expected: str = f"a description of columns of format {FORMAT}"
) -> ModelError:
    return ModelError(source, found=found, expected=expected, next_step="convert again with this version")
