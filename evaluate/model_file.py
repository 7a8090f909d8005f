"""Another contract for the graph of a model file."""

from __future__ import annotations

from pathlib import Path

from deseptr.contract import ModelContract, atomic_write, check_replaceable
from deseptr.tflite import TfliteFile, embed_contract, streaming_inside, without_archive


def check_model_output(output: Path | None) -> None:
    """Let only a model be replaced by one.

    Raises:
        SetupError: if something else is there.
    """
    if output is not None:
        # A flatbuffer names its kind behind four bytes of offset (https://flatbuffers.dev/internals).
        check_replaceable(output, b"TFL3", "a .tflite file", "-o", offset=4)


def write_contract(file: TfliteFile, output: Path | None, contract: ModelContract) -> Path:
    """Write a model with another contract; the graph stays the same, to the byte.

    Args:
        file: the model.
        output: file to write; the model itself by default.
        contract: what it gets.

    Returns:
        The file that was written.
    """
    target = output or file.path
    atomic_write(target, embed_contract(without_archive(file.content), contract, streaming_inside(file)))
    return target
