import io
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from deseptr.contract import ModelContract, ModelError, Streaming
from deseptr.tflite import (
    StreamingGraphs,
    TfliteFile,
    embed_contract,
    read_tflite,
    streaming_inside,
    without_archive,
)
from deseptr.tflite.file import contract_inside

CONTRACT = ModelContract(labels=("sit", "walk"))
FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(range(200))


def test_round_trip_keeps_the_flatbuffer_in_front(tmp_path: Path):
    path = tmp_path / "m.tflite"
    path.write_bytes(embed_contract(FLATBUFFER, CONTRACT))
    model = read_tflite(path)
    assert model.contract == CONTRACT
    assert model.content.startswith(FLATBUFFER)


@pytest.mark.parametrize("content", [FLATBUFFER, embed_contract(FLATBUFFER, CONTRACT)])
def test_archive_comes_off_again(content: bytes):
    assert without_archive(content) == FLATBUFFER


def test_same_input_gives_same_bytes():
    assert embed_contract(FLATBUFFER, CONTRACT) == embed_contract(FLATBUFFER, CONTRACT)


def test_any_unzip_lists_contract_and_labels(tmp_path: Path):
    (tmp_path / "m.tflite").write_bytes(embed_contract(FLATBUFFER, CONTRACT))
    with zipfile.ZipFile(tmp_path / "m.tflite") as archive:
        assert archive.namelist() == ["deseptr.json", "labels.txt"]
        assert archive.read("labels.txt") == b"sit\nwalk\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "0 bytes without the TFL3 mark"),
        (b"PK\x03\x04 a zip and no model", "without the TFL3 mark"),
        (FLATBUFFER, "a model without a contract"),
        (embed_contract(FLATBUFFER, CONTRACT)[:-30], "a model without a contract"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, found: str):
    (tmp_path / "m.tflite").write_bytes(content)
    with pytest.raises(ModelError, match=found):
        read_tflite(tmp_path / "m.tflite")


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"none.tflite: found No such file"):
        read_tflite(tmp_path / "none.tflite")


def test_flipped_bytes_never_escape_as_python_errors(tmp_path: Path):
    whole = embed_contract(FLATBUFFER, CONTRACT)
    for position in range(len(FLATBUFFER), len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 0x5A
        (tmp_path / "m.tflite").write_bytes(damaged)
        message = None
        try:
            read_tflite(tmp_path / "m.tflite")
        except ModelError as error:
            message = str(error)
        assert message is None or "m.tflite" in message


def test_contract_is_optional():
    whole = embed_contract(FLATBUFFER, CONTRACT)
    assert contract_inside(whole, "m") == CONTRACT
    assert contract_inside(FLATBUFFER, "m") is None


def test_broken_contract_is_not_taken_for_none():
    buffer = io.BytesIO(FLATBUFFER)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("deseptr.json", "{}")
    with pytest.raises(ModelError, match=r"m!deseptr.json: found format None"):
        contract_inside(buffer.getvalue(), "m")


STREAMING = StreamingGraphs(Streaming(8, 4, 3, sha256(FLATBUFFER).hexdigest()), b"column", b"time")


def with_graphs(tmp_path: Path, content: bytes) -> TfliteFile:
    (tmp_path / "m.tflite").write_bytes(content)
    return read_tflite(tmp_path / "m.tflite")


def test_graphs_of_a_cut_are_read_as_they_were_embedded(tmp_path: Path):
    content = embed_contract(FLATBUFFER, CONTRACT, STREAMING)
    model = with_graphs(tmp_path, content)
    assert streaming_inside(model) == STREAMING
    assert without_archive(model.content) == FLATBUFFER
    assert model.contract == CONTRACT
    assert content == embed_contract(FLATBUFFER, CONTRACT, STREAMING)
    assert streaming_inside(with_graphs(tmp_path, embed_contract(FLATBUFFER, CONTRACT))) is None


def test_graphs_of_another_whole_graph_are_not_used(tmp_path: Path):
    model = with_graphs(tmp_path, embed_contract(FLATBUFFER + b"edited", CONTRACT, STREAMING))
    assert streaming_inside(model) is None


def test_a_graph_that_is_missing_is_told(tmp_path: Path):
    content = embed_contract(FLATBUFFER, CONTRACT, STREAMING).replace(b"time.tflite", b"tame.tflite")
    with pytest.raises(ModelError, match=r"column\.tflite and time\.tflite"):
        streaming_inside(with_graphs(tmp_path, content))
