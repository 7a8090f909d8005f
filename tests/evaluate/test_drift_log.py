"""Logs of drift: those of the device's own outputs, and what else somebody may pass."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from drift_parts import drift_part
from hypothesis import given, strategies as st

from deseptr.contract import DataError
from deseptr.device import WindowEvent
from deseptr.device.sinks import CsvFile
from deseptr.evaluate.drift_log import LONGEST_LINE, read_drift_logs

LABELS = ("sitting", "walking")
WINDOW = WindowEvent(1.28, "walking", 0.75, {"sitting": 0.25, "walking": 0.75}, 812.5, 0)


def as_csv(path, events, **options):
    sink = CsvFile(path, LABELS, lambda text: None, **options)
    for event in events:
        sink.take(event)
    sink.close()
    return path


def as_json(path, events):
    path.write_text("".join(json.dumps(event.to_dict()) + "\n" for event in events))
    return path


def test_csv_and_json_lines_give_the_same_parts(tmp_path):
    events = [WINDOW, drift_part(1), WINDOW, drift_part(2), replace(drift_part(3), day="2026-11-28")]
    read = read_drift_logs([as_csv(tmp_path / "a.csv", events)])
    assert read == read_drift_logs([as_json(tmp_path / "a.jsonl", events)])
    assert [(part.key, part.day, part.wearer) for part in read.parts] == [
        ("r-1", "2026-11-27", None),
        ("r-2", "2026-11-27", None),
        ("r-3", "2026-11-28", None),
    ]
    assert read.parts[0].summary.to_dict() == drift_part(1).summary.to_dict()
    assert read.notes == ()


def test_the_wearer_comes_from_the_last_column(tmp_path):
    events = [replace(drift_part(1), wearer="eve"), drift_part(2)]
    for path in (as_csv(tmp_path / "a.csv", events, wearer=True), as_json(tmp_path / "a.jsonl", events)):
        assert [part.wearer for part in read_drift_logs([path]).parts] == ["eve", None]


def test_a_part_that_came_twice_counts_once(tmp_path):
    """A broker may deliver a message twice, and somebody may pass a file and its copy."""
    paths = [as_csv(tmp_path / "a.csv", [drift_part(1), drift_part(2)]), as_json(tmp_path / "b.jsonl", [drift_part(2)])]
    read = read_drift_logs(paths)
    assert [part.key for part in read.parts] == ["r-1", "r-2"]
    assert read.notes == ("1 part was there twice and counted once",)


def test_a_torn_last_line_is_left_out_and_said_so(tmp_path):
    for path in (as_csv(tmp_path / "a.csv", [drift_part(1), drift_part(2)]), tmp_path / "b.jsonl"):
        if path.suffix == ".jsonl":
            as_json(path, [drift_part(1), drift_part(2)])
        path.write_bytes(path.read_bytes()[:-40])
        read = read_drift_logs([path])
        assert [part.key for part in read.parts] == ["r-1"]
        assert read.notes == (f"{path}: its last line is incomplete and left out",)


def line(**changes):
    content = drift_part(1).to_dict()
    content["drift"] |= changes
    return json.dumps(content) + "\n"


HOSTILE = {
    "no json": ('{"drift": \n', "line 2: found "),
    "not an object": ('["drift"]\n', "line 2: found no object"),
    "deep": ('{"drift":' + "[" * 100_000 + "]" * 100_000 + "}\n", "line 2: found values nested too deeply"),
    "long": ('{"drift": "' + "x" * LONGEST_LINE + '"}\n', "line 2: found more than 1,048,576 bytes"),
    "day": (line(day="tomorrow\u001b[2J"), r"line 2: found the day 'tomorrow\\x1b\[2J'"),
    "key": (line(key=""), "line 2: found the key ''"),
    "key no text": (line(key=3), "line 2: found the key 3"),
    "reference": (line(reference=["x"]), "line 2: found the name"),
    "counts": (line(windows=10**30), "line 2: found windows is no count"),
    "mean": (line(mean_confidence=float("nan")), "line 2: found mean_confidence is no number"),
    "bins": (line(confidence=[2]), "line 2: found confidence has not 12 bins"),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_line_that_cannot_be_is_named_in_one_line(tmp_path, text, message):
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps(WINDOW.to_dict()) + "\n" + text)
    with pytest.raises(DataError, match=message) as caught:
        read_drift_logs([path])
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found no summary of a day"),
        (b"PK\x03\x04", "found another kind of file"),
        (b"t,acc_x\n0,1\n", "found another kind of file"),
        (b'{"t": 1.0, "label": "walking"}\n', "found no summary of a day"),
    ],
)
def test_a_file_that_is_no_log_is_refused(tmp_path, content, message):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_drift_logs([path])


@pytest.mark.parametrize(("count", "named"), [(1, "0"), (3, "0, 1, 2"), (4, "0, 1, 2, …")])
def test_of_many_files_without_a_part_three_are_named(tmp_path, monkeypatch, count, named):
    monkeypatch.chdir(tmp_path)
    paths = [Path(str(number)) for number in range(count)]
    for path in paths:
        path.write_bytes(b"")
    with pytest.raises(DataError, match=f"^{named}: found no summary of a day"):
        read_drift_logs(paths)


@pytest.mark.parametrize(("name", "value"), [("day", "d" * 99), ("key", "d" * 250)])
def test_no_more_than_forty_characters_of_a_wrong_value_are_told(tmp_path, name, value):
    path = tmp_path / "run.jsonl"
    path.write_text(line(**{name: value}) + line())
    with pytest.raises(DataError) as caught:
        read_drift_logs([path])
    assert f"found the {name} '" + "d" * 39 + "," in str(caught.value)


def test_missing_files_and_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe", "."):
        with pytest.raises(DataError, match="check the path"):
            read_drift_logs([tmp_path / name])


def test_a_model_whose_label_is_drift_is_no_trouble(tmp_path):
    events = [replace(WINDOW, label="drift"), drift_part(1)]
    for path in (as_csv(tmp_path / "a.csv", events), as_json(tmp_path / "a.jsonl", events)):
        assert [part.key for part in read_drift_logs([path]).parts] == ["r-1"]


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(json.dumps(drift_part(1).to_dict()).encode() + b'\n{"drift"' + content)
    said = ""
    try:
        read_drift_logs([path])
    except DataError as error:
        said = str(error)
    assert "\n" not in said


def test_labels_with_two_spaces_come_back_from_a_row(tmp_path):
    part = drift_part(1)
    part.summary.labels.clear()
    part.summary.labels["going  up"] = 2
    read = read_drift_logs([as_csv(tmp_path / "a.csv", [part])])
    assert read.parts[0].summary.labels == {"going  up": 2}
