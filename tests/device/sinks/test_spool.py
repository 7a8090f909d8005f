import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import SetupError
from deseptr.device.sinks.spool import MqttMessage, Spool


def message(number):
    return MqttMessage(f"deseptr/wrist/{number % 3}", str(number).encode(), number % 2 == 0)


def waiting(spool):
    return [spooled.message for spooled in spool.after(0, 10_000)]


def test_messages_wait_in_order_and_outlive_the_process(tmp_path, warnings):
    path = tmp_path / "state" / "mqtt.sqlite"
    spool = Spool(path, warnings)
    for number in range(10):
        spool.add(message(number))
    spool.remove(spool.after(0, 1)[0].number)
    spool.close()
    spool = Spool(path, warnings)
    spool.add(message(10))
    assert waiting(spool) == [message(number) for number in range(1, 11)]
    assert len(spool) == 10
    assert spool.after(spool.after(0, 3)[-1].number, 2)[0].message == message(4)
    spool.close()
    assert warnings == []


@given(st.lists(st.one_of(st.just("add"), st.integers(0, 5)), max_size=40), st.integers(1, 6))
@settings(max_examples=40)
def test_it_is_a_bounded_queue(tmp_path_factory, steps, capacity):
    spool = Spool(tmp_path_factory.mktemp("spool") / "spool", [].append, capacity)
    model, dropped = [], 0
    for count, step in enumerate(steps):
        if step == "add":
            dropped += len(model) == capacity
            model = [*model, message(count)][-capacity:]
            spool.add(message(count))
        elif step < len(model):
            number = spool.after(0, 100)[step].number
            spool.remove(number)
            spool.remove(number)
            model.pop(step)
        assert waiting(spool) == model
        assert (len(spool), spool.dropped) == (len(model), dropped)
    spool.close()


def test_full_spool_keeps_messages_in_flight(tmp_path, warnings):
    spool = Spool(tmp_path / "spool", warnings, 4)
    for number in range(4):
        spool.add(message(number))
    on_its_way = spool.after(0, 2)
    spool.add(message(4), sent=on_its_way[-1].number)
    assert waiting(spool) == [message(number) for number in (0, 1, 3, 4)]
    assert spool.dropped == 1


def test_killed_process_loses_nothing(tmp_path, warnings):
    code = (
        "import os, signal; from pathlib import Path; from deseptr.device.sinks.spool import MqttMessage, Spool\n"
        f"spool = Spool(Path({str(tmp_path / 'spool')!r}), print)\n"
        "for number in range(50): spool.add(MqttMessage('topic', str(number).encode()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    spool = Spool(tmp_path / "spool", warnings)
    assert [spooled.payload for spooled in waiting(spool)] == [str(number).encode() for number in range(50)]


def test_damaged_file_is_renamed(tmp_path, warnings):
    path = tmp_path / "spool"
    path.write_bytes(b"not a database" * 1000)
    spool = Spool(path, warnings, ours=True)
    spool.add(message(1))
    assert waiting(spool) == [message(1)]
    assert (tmp_path / "spool.damaged").read_bytes().startswith(b"not a database")
    assert warnings == [f"{path}: file is not a database; renamed to spool.damaged, and a new one started"]


def test_second_damaged_file_leaves_the_first(tmp_path, warnings):
    for number in range(2):
        (tmp_path / "spool").write_bytes(b"not a database" * 1000 + bytes([number]))
        Spool(tmp_path / "spool", warnings, ours=True).close()
        (tmp_path / "spool").unlink()
    assert [(tmp_path / f"spool.{name}").read_bytes()[-1] for name in ("damaged", "damaged2")] == [0, 1]


def database(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"PK\x03\x04" + bytes(9000)),
        lambda path: path.write_bytes(b"x"),
        lambda path: path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(60) + b"dsMQ" + bytes(9000)),
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(9000)),
        lambda path: database(path, "CREATE TABLE bookmarks (title TEXT)", "INSERT INTO bookmarks VALUES ('a')"),
        lambda path: database(path, "CREATE TABLE messages (sender TEXT)", "INSERT INTO messages VALUES ('a')"),
    ],
    ids=["npz", "short", "tflite", "damaged database", "other tables", "other columns"],
)
def test_file_of_something_else_is_refused_untouched(tmp_path, warnings, make):
    make(tmp_path / "spool")
    before = contents(tmp_path)
    with pytest.raises(SetupError, match=r"spool: found .*; choose another with --mqtt-spool$") as caught:
        Spool(tmp_path / "spool", warnings)
    assert "\n" not in str(caught.value)
    assert contents(tmp_path) == before
    assert warnings == []


def test_spool_of_an_earlier_version_goes_on(tmp_path, warnings):
    statement = (
        "CREATE TABLE messages (number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, "
        "payload BLOB NOT NULL, retain INTEGER NOT NULL)"
    )
    database(tmp_path / "spool", statement, "INSERT INTO messages VALUES (7, 'deseptr/wrist/1', X'31', 0)")
    spool = Spool(tmp_path / "spool", warnings)
    assert waiting(spool) == [message(1)]
    spool.close()


def test_file_damaged_inside_is_renamed(tmp_path, warnings):
    path = tmp_path / "spool"
    spool = Spool(path, warnings)
    for number in range(2000):
        spool.add(message(number))
    spool.close()
    content = bytearray(path.read_bytes())
    content[8192:16384] = bytes(8192)
    path.write_bytes(content)
    spool = Spool(path, warnings)
    assert len(spool) == 0
    assert len(warnings) == 1


def test_full_disk_moves_it_to_memory(tmp_path, warnings, monkeypatch):
    path = tmp_path / "spool"
    connect = sqlite3.connect

    def connect_on_a_full_disk(database, **options):
        connection = connect(database, **options)
        if database != ":memory:":
            connection.execute("PRAGMA max_page_count = 6")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_on_a_full_disk)
    spool = Spool(path, warnings)
    spool.add(message(0))
    spool.remove(spool.after(0, 1)[0].number)
    for number in range(1, 1000):
        spool.add(message(number))
    assert waiting(spool) == [message(number) for number in range(1, 1000)]
    assert len(spool) == 999
    assert warnings == [f"{path}: database or disk is full; messages for the broker wait in memory from here on"]
    spool.close()


def test_second_process_is_refused(tmp_path, warnings):
    spool = Spool(tmp_path / "spool", warnings)
    with pytest.raises(SetupError, match=r"found database is locked, expected a place .* used by no other process"):
        Spool(tmp_path / "spool", warnings)
    spool.close()
    Spool(tmp_path / "spool", warnings).close()


@pytest.mark.parametrize("name", ["file/spool", "."])
def test_path_that_cannot_be_is_refused(tmp_path, warnings, name):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="choose another with --mqtt-spool") as caught:
        Spool(tmp_path / name, warnings)
    assert "\n" not in str(caught.value)


def test_numbers_are_never_used_again(tmp_path, warnings):
    spool = Spool(tmp_path / "spool", warnings)
    spool.add(message(0))
    first = spool.after(0, 1)[0].number
    spool.remove(first)
    spool.close()
    spool = Spool(tmp_path / "spool", warnings)
    spool.add(message(1))
    assert spool.after(0, 1)[0].number > first
