"""A ``.tflite`` file with its contract: a flatbuffer with a zip archive appended.

This is the associated-file convention of TFLite metadata: `unzip -l model.tflite` lists the contents. TFLite runtimes
stop reading at the end of the flatbuffer and load the file unchanged.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from deseptr.contract.errors import ModelError
from deseptr.contract.input_files import read_input
from deseptr.contract.model_contract import LARGEST_CONTRACT, ModelContract
from deseptr.contract.streaming import Streaming
from deseptr.contract.zip_reader import ArchiveError, ZipReader

CONTRACT_NAME = "deseptr.json"
LABELS_NAME = "labels.txt"
STREAMING_NAME, COLUMN_NAME, TIME_NAME = "streaming.json", "column.tflite", "time.tflite"
LARGEST_MODEL = 2**28
_IDENTIFIER = b"TFL3"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class TfliteFile:
    """A model file in memory.

    Args:
        content: the whole file, which a runtime accepts as ``model_content``.
        contract: the contract in its archive.
        path: path of the file.
    """

    content: bytes
    contract: ModelContract
    path: Path


@dataclass(frozen=True)
class StreamingGraphs:
    """The two graphs that a whole one was cut into.

    Args:
        streaming: lengths and number of the columns.
        column: flatbuffer that computes a column from its encoded samples ``[1, column_length, graph_channels]``.
        time: flatbuffer that computes the logits from what the columns of a window gave: its inputs are the column
            graph's outputs in the same order, with ``columns`` rows instead of one.
    """

    streaming: Streaming
    column: bytes = field(repr=False)
    time: bytes = field(repr=False)


def embed_contract(flatbuffer: bytes, contract: ModelContract, graphs: StreamingGraphs | None = None) -> bytes:
    """Append ``contract``, its labels and the graphs of a cut to ``flatbuffer``; equal inputs give equal bytes."""
    buffer = io.BytesIO()
    buffer.write(flatbuffer)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(CONTRACT_NAME, _EPOCH), contract.to_json())
        archive.writestr(zipfile.ZipInfo(LABELS_NAME, _EPOCH), "".join(f"{label}\n" for label in contract.labels))
        if graphs is not None:
            archive.writestr(zipfile.ZipInfo(STREAMING_NAME, _EPOCH), graphs.streaming.to_json())
            archive.writestr(zipfile.ZipInfo(COLUMN_NAME, _EPOCH), graphs.column)
            archive.writestr(zipfile.ZipInfo(TIME_NAME, _EPOCH), graphs.time)
    return buffer.getvalue()


def without_archive(content: bytes) -> bytes:
    """The flatbuffer in the content of a ``.tflite`` file; unchanged if no archive follows it."""
    try:
        with ZipReader(content) as archive:
            return content[: archive.begin()]
    except ArchiveError:
        return content


def read_tflite(path: Path) -> TfliteFile:
    """Read a model and the contract inside it.

    Raises:
        ModelError: if the file is missing, is not a TFLite flatbuffer, or has no contract or a broken one.

        >>> from importlib.resources import files
        >>> read_tflite(Path(str(files("deseptr.device") / "models" / "deseptr_motionsense.tflite"))).contract.rate_hz
        50.0
    """
    content = read_flatbuffer(path)
    contract = contract_inside(content, path)
    if contract is None:
        raise ModelError(
            path,
            found="a model without a contract",
            expected=f"{CONTRACT_NAME} in its archive",
            next_step="convert its checkpoint with `deseptr convert RUN`, which embeds one",
        )
    return TfliteFile(content, contract, path)


def read_flatbuffer(path: Path) -> bytes:
    """Content of a ``.tflite`` file, with or without a contract.

    Raises:
        ModelError: if the file is missing or is not a TFLite flatbuffer.
    """
    try:
        content = read_input(path, LARGEST_MODEL)
    except OSError as error:
        raise ModelError(
            path, found=error.strerror, expected="a .tflite file", next_step="make one with `deseptr convert RUN`"
        ) from error
    if content[4:8] != _IDENTIFIER:
        raise ModelError(
            path,
            found=f"{len(content)} bytes without the TFL3 mark",
            expected="a TFLite flatbuffer",
            next_step="make one with `deseptr convert RUN`",
        )
    return content


def contract_inside(content: bytes, source: object) -> ModelContract | None:
    """The contract in a flatbuffer's archive; None if there is no readable archive or no contract in it.

    Raises:
        ModelError: if the contract is broken.
    """
    try:
        with ZipReader(content, LARGEST_CONTRACT) as archive:
            text = archive.read(CONTRACT_NAME)
    except ArchiveError:
        return None
    return ModelContract.from_json(text, f"{source}!{CONTRACT_NAME}")


def streaming_inside(model: TfliteFile) -> StreamingGraphs | None:
    """The column graph and the time graph in a model's archive; None if it has none, or they are of another graph.

    Raises:
        ModelError: if they are incomplete, or what describes them is broken.
    """
    with ZipReader(model.content) as archive:
        if STREAMING_NAME not in archive.names():
            return None
        try:
            text, column, time = (archive.read(name) for name in (STREAMING_NAME, COLUMN_NAME, TIME_NAME))
        except ArchiveError as error:
            raise ModelError(
                f"{model.path}!{STREAMING_NAME}",
                found=str(error),
                expected=f"{COLUMN_NAME} and {TIME_NAME} beside it",
                next_step="convert its checkpoint again with `deseptr convert RUN`",
            ) from error
        whole = model.content[: archive.begin()]
    streaming = Streaming.from_json(text, f"{model.path}!{STREAMING_NAME}")
    # Whoever edits a graph and keeps its archive has columns of the graph before.
    if streaming.whole_sha256 != hashlib.sha256(whole).hexdigest():
        return None
    return StreamingGraphs(streaming, column, time)
