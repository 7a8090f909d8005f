import itertools
import shutil
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st
from small_pages import Pages

from deseptr.contract import SetupError
from deseptr.device.sinks.spool import BEFORE_ALL, Rest, Spool
from deseptr.device.sinks.spool_file import MediumError, MqttMessage, SpoolFile


def message(number):
    return MqttMessage(f"deseptr/wrist/{number % 3}", str(number).encode(), number % 2 == 0)


def waiting(spool):
    return [spooled.message for spooled in spool.after(BEFORE_ALL, 10_000)]


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


def test_a_medium_that_removes_nothing_keeps_the_messages_instead_of_trying_for_ever(tmp_path, warnings, monkeypatch):
    spool, tries = Spool(tmp_path / "spool", warnings, capacity=2), []

    def refuse(self, number):
        tries.append(number)
        assert len(tries) < 10
        raise MediumError("disk full")

    monkeypatch.setattr(SpoolFile, "remove", refuse)
    for number in range(3):
        spool.add(message(number))
    assert (waiting(spool), spool.dropped, len(tries)) == ([message(0), message(1), message(2)], 0, 1)
    assert len(warnings) == 1
    monkeypatch.undo()
    spool.close()


def test_killed_process_loses_nothing(tmp_path, warnings):
    code = (
        "import os, signal; from pathlib import Path\n"
        "from deseptr.device.sinks.spool import Spool; from deseptr.device.sinks.spool_file import MqttMessage\n"
        f"spool = Spool(Path({str(tmp_path / 'spool')!r}), print)\n"
        "for number in range(50): spool.add(MqttMessage('topic', str(number).encode()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    spool = Spool(tmp_path / "spool", warnings)
    assert [spooled.payload for spooled in waiting(spool)] == [str(number).encode() for number in range(50)]


def left_by_a_kill(spool, folder, warnings):
    """The messages that the next run would send if this one were killed now."""
    copy = Spool(shutil.copytree(spool.parent, folder) / spool.name, warnings)
    found = waiting(copy)
    copy.close()
    return found


def test_what_is_marked_is_not_sent_again_after_a_kill(tmp_path, warnings):
    path = tmp_path / "state" / "spool"
    spool = Spool(path, warnings)
    for number in range(4):
        spool.add(message(number))
    first, second, third, _ = (each.number for each in spool.after(0, 4))
    spool.mark(second)  # not before the first: the number stands for all up to it
    assert left_by_a_kill(path, tmp_path / "0", warnings) == [message(number) for number in range(4)]
    spool.mark(first)
    spool.mark(second)
    assert left_by_a_kill(path, tmp_path / "2", warnings) == [message(2), message(3)]
    # It is still to be removed, in any order, and what has been marked meanwhile stays so.
    assert len(spool) == 4
    spool.mark(third)
    for number in (first, third, second):
        spool.remove(number)
        assert left_by_a_kill(path, tmp_path / f"3-{number}", warnings) == [message(3)]
    assert waiting(spool) == [message(3)]
    assert len(spool) == 1
    spool.close()
    spool.mark(third + 1)  # an acknowledgment that comes too late
    assert left_by_a_kill(path, tmp_path / "4", warnings) == [message(3)]


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
    spool.add(message(2))
    for each in spool.after(BEFORE_ALL, 2):
        spool.remove(each.number)
    spool.close()
    spool = Spool(tmp_path / "spool", warnings)
    spool.add(message(3))
    assert waiting(spool) == [message(3)]
    spool.close()
    # Once nothing waits, it has the pages of today.
    assert int.from_bytes((tmp_path / "spool").read_bytes()[16:18]) == 1024
    assert warnings == []


def test_names_and_topics_that_are_no_text(tmp_path, warnings):
    path = tmp_path / "spool"
    spool = Spool(path, warnings)
    spool.add(message(1))
    spool.close()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"deseptr/wrist/1", b"deseptr/\xff\xfeist/1"))
    spool = Spool(path, warnings)
    assert [each.topic for each in waiting(spool)] == ["deseptr/\ufffd\ufffdist/1"]
    spool.close()
    path.write_bytes(whole.replace(b"tablemessages", b"tableme\xe2\xa6\xf7ages"))
    spool = Spool(path, warnings)
    assert len(spool) == 0
    spool.close()
    assert warnings == [f"{path}: names that are no text; renamed to spool.damaged, and a new one started"]


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


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


WAITING = "messages for the broker wait in memory until it can be written again"


def test_without_room_messages_wait_in_memory_and_go_back_to_disk_in_order(tmp_path, warnings, monkeypatch):
    path, clock, pages = tmp_path / "spool", Clock(), Pages(monkeypatch, 8)
    spool = Spool(path, warnings, now=clock)
    for number in range(500):
        spool.add(message(number))
    assert waiting(spool) == [message(number) for number in range(500)]
    durable = spool.durable
    assert 0 < durable < 400
    assert warnings == [f"{path}: database or disk is full; {WAITING}"]
    pages.limit(10_000)
    spool.add(message(500))
    assert spool.durable == durable
    clock.now = 6
    spool.add(message(501))
    assert (spool.durable, len(spool)) == (502, 502)
    assert warnings[1:] == [f"{path}: works again; {502 - durable} messages for the broker went there from memory"]
    assert spool.close() == Rest(502, 0, "")
    assert waiting(Spool(path, warnings)) == [message(number) for number in range(502)]


def test_what_is_said_to_wait_is_on_the_full_disk_and_the_rest_is_said_to_be_lost(small_disk, warnings):
    path = small_disk.path / "spool"
    spool = Spool(path, warnings)
    spool.add(message(0))
    small_disk.fill()
    small_disk.free(200_000)
    for number in range(1, 5500):
        spool.add(message(number))
    rest = spool.close()
    small_disk.free()
    assert rest.kept + rest.lost == 5500
    assert rest.lost > 0
    assert rest.reason == "database or disk is full"
    assert waiting(Spool(path, warnings)) == [message(number) for number in range(rest.kept)]


def test_a_freed_disk_takes_back_what_waited_in_memory(small_disk, warnings):
    clock = Clock()
    spool = Spool(small_disk.path / "spool", warnings, now=clock)
    small_disk.fill()
    for number in range(3000):
        spool.add(message(number))
    assert spool.durable < 3000
    small_disk.free()
    clock.now = 6
    spool.add(message(3000))
    assert spool.durable == 3001
    assert spool.close() == Rest(3001, 0, "")


def test_what_is_delivered_while_the_disk_is_full_is_not_sent_again(small_disk, tmp_path, warnings):
    path = small_disk.path / "spool"
    spool = Spool(path, warnings)
    for number in range(10):
        spool.add(message(number))
    small_disk.fill()
    for number in range(10, 4000):
        spool.add(message(number))
    durable = spool.durable
    assert durable < 4000
    delivered = spool.after(BEFORE_ALL, durable + 5)
    for each in delivered[: durable - 1]:
        spool.remove(each.number)
    # As a process that is killed leaves it.
    shutil.copytree(small_disk.path, tmp_path / "copy", ignore=shutil.ignore_patterns("ballast"))
    assert waiting(Spool(tmp_path / "copy" / "spool", warnings)) == [message(durable - 1)]
    for each in delivered[durable - 1 :]:
        spool.remove(each.number)
    assert len(spool) == 4000 - len(delivered)
    small_disk.free()
    assert spool.close() == Rest(4000 - len(delivered), 0, "")
    assert waiting(Spool(path, warnings)) == [message(number) for number in range(len(delivered), 4000)]


def test_a_read_only_medium_ends_no_run_and_is_used_when_it_can_be(small_disk, warnings):
    path, clock = small_disk.path / "state" / "spool", Clock()
    first = Spool(path, warnings)
    first.extend([message(number) for number in range(3)])
    first.close()
    small_disk.read_only()
    spool = Spool(path, warnings, now=clock)
    spool.add(message(3))
    assert (spool.durable, len(spool)) == (0, 1)
    assert warnings == [f"{path}: Read-only file system; {WAITING}"]
    (sent,) = spool.after(BEFORE_ALL, 1)
    assert sent.message == message(3)
    small_disk.read_only(False)
    clock.now = 6
    spool.add(message(4), sent.number)
    # The earlier messages come first; the one on its way is stored until it is acknowledged.
    assert waiting(spool) == [message(number) for number in range(5)]
    spool.remove(sent.number)
    assert [each.message for each in spool.after(sent.number, 9)] == [message(4)]
    assert spool.close() == Rest(4, 0, "")
    assert waiting(Spool(path, warnings)) == [message(number) for number in (0, 1, 2, 4)]


def test_a_medium_that_stays_read_only_is_said_to_lose_the_messages(small_disk, warnings):
    small_disk.read_only()
    spool = Spool(small_disk.path / "state" / "spool", warnings)
    spool.extend([message(0), message(1)])
    assert spool.close() == Rest(0, 2, "Read-only file system")


def test_memory_is_bounded_and_drops_the_oldest_that_are_not_on_their_way(small_disk, warnings):
    small_disk.read_only()
    spool = Spool(small_disk.path / "spool", warnings, memory=4)
    spool.extend([message(number) for number in range(4)])
    (on_its_way,) = spool.after(BEFORE_ALL, 1)
    for number in range(4, 7):
        spool.add(message(number), on_its_way.number)
    assert waiting(spool) == [message(number) for number in (0, 4, 5, 6)]
    assert spool.dropped == 3


STEPS = st.one_of(st.sampled_from(["add", "two", "full", "room", "wait", "kill"]), st.integers(0, 5))


@given(st.lists(STEPS, max_size=40), st.integers(3, 12), st.integers(1, 5))
@settings(max_examples=60)
def test_it_is_a_bounded_queue_on_a_medium_that_fails_and_under_kills(tmp_path_factory, steps, capacity, memory):
    path, clock, count, model = tmp_path_factory.mktemp("spool") / "spool", Clock(), 0, []
    with pytest.MonkeyPatch.context() as patch:
        pages = Pages(patch, 1000)
        spool = Spool(path, [].append, capacity, memory=memory, now=clock)
        for step in steps:
            if step in ("add", "two"):
                new = [message(count + more) for more in range(1 + (step == "two"))]
                before = spool.dropped
                spool.extend(new)
                count += len(new)
                left = waiting(spool)
                assert left == [each for each in model + new if each in left]
                assert len(left) == len(model) + len(new) - (spool.dropped - before) <= capacity
                model = left
            elif step in ("full", "room"):
                pages.limit(1 if step == "full" else 1000)
            elif step == "wait":
                clock.now += 6
            elif step == "kill":
                model = model[: spool.durable]
                copy = tmp_path_factory.mktemp("spool") / "copy"
                shutil.copytree(path.parent, copy)
                spool.close()
                path = copy / "spool"
                pages.limit(1000)
                spool = Spool(path, [].append, capacity, memory=memory, now=clock)
            elif step < len(model):
                spool.remove(spool.after(BEFORE_ALL, 100)[step].number)
                model.pop(step)
            assert waiting(spool) == model
        spool.close()


def log_bytes(path):
    return path.with_name("spool-wal").stat().st_size


def test_a_message_costs_little_of_the_log(tmp_path, warnings):
    path, payload = tmp_path / "spool", b"x" * 240
    spool = Spool(path, warnings)
    sizes = [log_bytes(path)]
    for _ in range(100):
        spool.add(MqttMessage("deseptr/wrist/window", payload))
        spool.remove(spool.after(BEFORE_ALL, 1)[0].number)
    sizes.append(log_bytes(path))
    for _ in range(100):
        spool.add(MqttMessage("deseptr/wrist/window", payload))
    sizes.append(log_bytes(path))
    connected, away = ((after - before) / 100 for before, after in itertools.pairwise(sizes))
    assert 0 < connected < 1100
    assert 0 < away < 2000
    for _ in range(1000):
        spool.add(MqttMessage("deseptr/wrist/window", payload))
    assert log_bytes(path) < 400_000
    spool.close()


def test_the_file_of_the_last_delivered_number_is_no_file_of_something_else(tmp_path, warnings):
    (tmp_path / "spool.sent").write_text("my notes")
    with pytest.raises(SetupError, match=r"spool\.sent: found something else, which would be damaged"):
        Spool(tmp_path / "spool", warnings)
    assert (tmp_path / "spool.sent").read_text() == "my notes"


@pytest.mark.parametrize(
    "content", [b"", b"deseptr spool, sent", b"deseptr spool, sent up to 00000000000000000002 0\n"]
)
def test_a_torn_number_sends_again_rather_than_losing(tmp_path, warnings, content):
    spool = Spool(tmp_path / "spool", warnings)
    spool.extend([message(0), message(1)])
    spool.close()
    (tmp_path / "spool.sent").write_bytes(content)
    spool = Spool(tmp_path / "spool", warnings)
    assert waiting(spool) == [message(0), message(1)]
    spool.close()


def test_a_new_database_beside_an_old_number_loses_nothing(tmp_path, warnings):
    spool = Spool(tmp_path / "spool", warnings)
    spool.extend([message(number) for number in range(5)])
    for each in spool.after(BEFORE_ALL, 5):
        spool.remove(each.number)
    spool.close()
    (tmp_path / "spool").unlink()
    spool = Spool(tmp_path / "spool", warnings)
    spool.add(message(5))
    spool.close()
    assert waiting(Spool(tmp_path / "spool", warnings)) == [message(5)]


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
