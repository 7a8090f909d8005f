import csv
import json
import resource
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
from csv_events import LABELS, make, rows
from drift_parts import drift_part
from hypothesis import given, strategies as st

from deseptr.contract import SetupError
from deseptr.device import (
    AlarmEvent,
    GapEvent,
    ImplausibleEvent,
    LabelEvent,
    MountingEvent,
    RateEvent,
    RecoveryEvent,
    WindowEvent,
)
from deseptr.device.sinks import CsvFile
from deseptr.device.sinks.csv_file import end_of_last_line
from deseptr.firmware_harness.simulator import VirtualClock


@contextmanager
def file_size_limit(size):
    """No file of this process can grow above ``size``: as good as a full disk, and torn rows as on one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_of_a_wearer_has_one_column_more_after_all_others(tmp_path, window, warnings):
    events = [
        replace(window(1), wearer="eve"),
        LabelEvent(2.0, "walking", None, 0.9, wearer="eve"),
        AlarmEvent(3.0, "walking", "raised", 0.9, "1f", wearer="eve"),
        GapEvent(5.0, "overflow", 12),
    ]
    for name, wearer in (("plain", False), ("eve", True)):
        sink = make(tmp_path / name, warnings, wearer=wearer)
        for event in events:
            sink.take(event)
        sink.close()
    with (tmp_path / "plain").open(newline="") as plain, (tmp_path / "eve").open(newline="") as own:
        before, after = list(csv.reader(plain)), list(csv.reader(own))
    assert [row[:-1] for row in after] == before
    assert [row[-1] for row in after] == ["wearer", "eve", "eve", "eve", ""]


def test_runs_with_and_without_a_wearer_share_no_file(tmp_path, window, warnings):
    for wearer in (False, True):
        sink = make(tmp_path / "run.csv", warnings, wearer=wearer)
        sink.take(window(1))
        sink.close()
    assert "wearer" in rows(tmp_path / "run.csv")[0]
    assert "wearer" not in rows(tmp_path / "run.csv.1")[0]


def test_every_kind_of_event_is_a_row(tmp_path, window, warnings):
    sink = make(tmp_path / "run.csv", warnings)
    events = [
        window(2),
        LabelEvent(3.84, "walking", "sitting", 0.7),
        LabelEvent(3.84, "unknown", None, 0.3),
        GapEvent(5.0, "overflow", 12),
        RecoveryEvent(6.0, "reinit", "no answer,\nagain", 3),
        RateEvent(7.0, 50.25, 50.0, True),
        AlarmEvent(8.0, "walking", "cancelled", 0.9, "1f", 7.0, "motion"),
        ImplausibleEvent(9.0, "stuck", "samples repeat", 2),
        ImplausibleEvent(9.5, "stuck", "samples repeat", 2, ended=True),
        LabelEvent(9.5, "unknown", "walking", 0.3, "implausible: stuck"),
        replace(window(2), label="unknown", unknown="implausible: stuck"),
        MountingEvent(9.6, "x90", None, "the sensor is turned by 90° about x, as was said"),
    ]
    for event in events:
        sink.take(event)
    sink.close()
    made = rows(tmp_path / "run.csv")
    assert made[0] == {
        "time": "2023-11-14T22:13:20.500+00:00",
        "t": "3.840000",
        "event": "window",
        "label": "walking",
        "confidence": "0.750000",
        "latency_us": "812.500",
        "sample": "128",
        "state": "",
        "detail": "",
        "p_sitting": "0.250000",
        "p_walking": "0.750000",
    }
    assert [(row["event"], row["label"], row["detail"]) for row in made[1:]] == [
        ("label", "walking", "from sitting"),
        ("label", "unknown", ""),
        ("gap", "", "overflow, 12 samples"),
        ("recovery", "", "reinit 3: no answer, again"),
        ("rate", "", "50.2500 of 50 Hz, resampled"),
        ("alarm", "walking", "1f motion"),
        ("implausible", "", "stuck 2"),
        ("implausible", "", "stuck 2 ended"),
        ("label", "unknown", "from walking, implausible: stuck"),
        ("window", "unknown", "implausible: stuck"),
        ("mounting", "", "x90: the sensor is turned by 90° about x, as was said"),
    ]
    assert made[6]["state"] == "cancelled"
    assert warnings == []


def test_a_part_of_a_day_is_one_cell_of_json(tmp_path, window, warnings):
    """So that readers of the other rows go on, and that one row is one write."""
    sink = make(tmp_path / "run.csv", warnings)
    sink.take(drift_part())
    sink.take(window(3))
    sink.close()
    row, after = rows(tmp_path / "run.csv")
    assert (row["event"], row["label"], row["confidence"], row["state"]) == ("drift", "", "0.750000", "too few windows")
    assert json.loads(row["detail"]) == drift_part().to_dict()["drift"]
    assert after["event"] == "window"
    assert len((tmp_path / "run.csv").read_bytes().splitlines()) == 3


def test_rows_are_there_at_once_and_the_file_goes_on(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    for first in (0, 3):
        sink = make(path, warnings)
        for number in range(first, first + 3):
            sink.take(window(number))
            assert len(rows(path)) == number + 1
        sink.close()
    assert [row["sample"] for row in rows(path)] == [str(64 * number) for number in range(6)]


def test_files_rotate_by_size_and_the_oldest_goes(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    sink = make(path, warnings, max_bytes=1000, keep=3)
    for number in range(100):
        sink.take(window(number))
    sink.close()
    files = [path.with_name("run.csv.2"), path.with_name("run.csv.1"), path]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(file.stat().st_size <= 1000 for file in files)
    samples = [int(row["sample"]) for file in files for row in rows(file)]
    assert samples == list(range(64 * (100 - len(samples)), 6400, 64))
    assert len(samples) > 15


def test_with_one_file_to_keep_it_starts_again(tmp_path, window, warnings):
    sink = make(tmp_path / "run.csv", warnings, max_bytes=500, keep=1)
    for number in range(50):
        sink.take(window(number))
    sink.close()
    assert [file.name for file in tmp_path.iterdir()] == ["run.csv"]
    assert rows(tmp_path / "run.csv")[-1]["sample"] == str(64 * 49)


def test_file_of_another_model_is_rotated(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    for labels in (("lying", "upright", "spinning"), LABELS):
        sink = make(path, warnings, labels)
        sink.take(window())
        sink.close()
    assert rows(path)[0]["p_walking"] == "0.750000"
    assert rows(path.with_name("run.csv.1"))[0]["p_spinning"] == ""


@given(st.integers(1, 400))
def test_a_row_torn_by_a_power_cut_is_removed(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "run.csv"
    event = WindowEvent(1.28, "walking", 0.75, {"sitting": 0.25, "walking": 0.75}, 812.5, 0)
    sink = make(path, [].append)
    for number in range(3):
        sink.take(replace(event, sample=number))
    sink.close()
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    whole = content[:-cut].count(b"\n") - 1
    warnings = []
    sink = make(path, warnings.append)
    sink.take(replace(event, sample=7))
    sink.close()
    assert [row["sample"] for row in rows(path)] == [str(number) for number in range(whole)] + ["7"]
    torn = len(content[:-cut]) - (content[:-cut].rfind(b"\n") + 1)
    assert warnings == ([f"{path}: removed an incomplete row of {torn} byte{'s' * (torn != 1)}"] if torn else [])


def test_blocks_that_never_reached_the_medium_are_removed(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    sink = make(path, warnings)
    sink.take(window())
    sink.close()
    with path.open("ab") as file:
        file.write(b"2023-11-14T22:1" + bytes(200_000))
    sink = make(path, warnings)
    sink.take(window(1))
    sink.close()
    assert len(rows(path)) == 2
    assert warnings == [f"{path}: removed an incomplete row of 200,015 bytes"]


@given(st.binary(max_size=60).map(lambda data: data.replace(b"a", b"\n")), st.integers(1, 9))
def testend_of_last_line(tmp_path_factory, content, step):
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert end_of_last_line(file.fileno(), len(content), step) == content.rfind(b"\n") + 1


def test_full_disk_drops_rows_counts_them_and_goes_on_after(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    sink = make(path, warnings)
    sink.take(window(0))
    size = path.stat().st_size
    with file_size_limit(size + 20):
        for number in range(1, 5):
            sink.take(window(number))
            assert path.stat().st_size == size
    sink.take(window(5))
    sink.close()
    assert [row["sample"] for row in rows(path)] == ["0", str(64 * 5)]
    assert sink.losses.count == 4
    assert [line.removeprefix(f"{path}: ") for line in warnings] == [
        "No space left on device; events are dropped and counted until it works again",
        "works again; 4 events are missing",
    ]


def test_disk_full_from_the_start_does_not_end_the_run(tmp_path, window, warnings, monkeypatch):
    import os

    opened = os.open

    def full(path, *rest, **options):
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(os, "open", full)
    sink = make(tmp_path / "run.csv", warnings)
    sink.take(window(0))
    monkeypatch.setattr(os, "open", opened)
    sink.take(window(1))
    sink.close()
    assert [row["sample"] for row in rows(tmp_path / "run.csv")] == ["64"]
    assert len(warnings) == 2


def test_folder_that_goes_away_while_rotating(tmp_path, window, warnings):
    folder = tmp_path / "away"
    folder.mkdir()
    sink = make(folder / "run.csv", warnings, max_bytes=500)
    sink.take(window(0))
    (folder / "run.csv").unlink()
    folder.rmdir()
    for number in range(10):
        sink.take(window(number))
    folder.mkdir()
    sink.take(window(10))
    sink.close()
    assert rows(folder / "run.csv")[-1]["sample"] == "640"
    assert "No such file or directory" in warnings[0]


@pytest.mark.parametrize("name", ["missing/run.csv", "file/run.csv", "."])
def test_path_that_cannot_be_is_refused_at_once(tmp_path, warnings, name):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="choose another with --csv") as caught:
        make(tmp_path / name, warnings)
    assert "\n" not in str(caught.value)


START = "time,t,event,label,confidence,latency_us,sample,state,detail"
FOREIGN = {
    "model": b"\x1c\0\0\0TFL3\n" + bytes(range(256)),
    "recording": b"t,ax,ay,az,gx,gy,gz,label,subject\n0,1,2,3,4,5,6,walking,1\n0.02,1,2",
    "text": b"no newline",
    "other table": START.replace("sample", "samples").encode() + b"\n",
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("name", ["run.csv", "run.csv.1", "run.csv.9"])
def test_file_of_something_else_is_refused_untouched(tmp_path, window, warnings, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SetupError, match=rf"{name}: found something else.*; choose another with --csv$") as caught:
        make(tmp_path / "run.csv", warnings)
    assert "\n" not in str(caught.value)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, content)]
    assert warnings == []


def test_special_file_is_refused(tmp_path, warnings):
    import os

    os.mkfifo(tmp_path / "run.csv")
    with pytest.raises(SetupError, match="found something else"):
        make(tmp_path / "run.csv", warnings)


def test_foreign_file_that_comes_later_is_not_replaced(tmp_path, window, warnings):
    sink = make(tmp_path / "run.csv", warnings, max_bytes=500)
    (tmp_path / "run.csv.1").write_bytes(b"precious")
    for number in range(10):
        sink.take(window(number))
    (tmp_path / "run.csv.1").rename(tmp_path / "kept")
    sink.take(window(10))
    sink.close()
    assert (tmp_path / "kept").read_bytes() == b"precious"
    assert rows(tmp_path / "run.csv")[-1]["sample"] == "640"
    assert len(rows(tmp_path / "run.csv.1")) > 0
    assert warnings[0].endswith(
        "run.csv.1 is not a file of this output; events are dropped and counted until it works again"
    )


def test_second_writer_is_refused(tmp_path, warnings):
    sink = make(tmp_path / "run.csv", warnings)
    with pytest.raises(SetupError, match="found another process writing it"):
        make(tmp_path / "run.csv", warnings)
    sink.close()
    make(tmp_path / "run.csv", warnings).close()


def test_rows_are_forced_onto_the_medium_every_few_seconds(tmp_path, window, warnings, monkeypatch):
    import os

    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    clock = VirtualClock()
    sink = CsvFile(tmp_path / "run.csv", LABELS, warnings, sync_s=5, clock=clock)
    for number in range(20):
        sink.take(window(number))
        clock.sleep_ns(1_000_000_000)
    assert len(synced) == 3
    sink.close()
    assert len(synced) == 4


def test_killed_process_leaves_whole_rows(tmp_path):
    code = (
        "import sys; from pathlib import Path; from deseptr.device import GapEvent\n"
        "from deseptr.device.sinks import CsvFile\n"
        f"sink = CsvFile(Path({str(tmp_path / 'run.csv')!r}), ('walking',), print)\n"
        "for number in range(10**9):\n"
        "    sink.take(GapEvent(number, 'overflow', number))\n"
        "    if number == 50: print('go', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.kill()
    process.communicate()
    made = rows(tmp_path / "run.csv")
    assert len(made) > 50
    assert [row["detail"] for row in made] == [f"overflow, {number} samples" for number in range(len(made))]
