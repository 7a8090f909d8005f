"""Edits of a flatbuffer, from bytes to bytes."""

from collections.abc import Callable
from typing import Any

from deseptr.tflite.graph import pack, unpack


def edited(content: bytes, *edits: Callable[[Any], None]) -> bytes:
    model = unpack(content)
    for edit in edits:
        edit(model)
    return pack(model)
