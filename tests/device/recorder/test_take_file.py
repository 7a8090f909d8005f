import os
import signal
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import CHANNELS, DataError, SetupError
from deseptr.data import UNLABELLED, load_dataset, read_csv
from deseptr.device.recorder import TakeFile, prepare_folder

SECOND = 1_000_000_000
NAMES = st.text(string.ascii_letters + ' ,"éß走.-_1', min_size=1, max_size=8).map(str.strip).filter(bool)
PARTS = st.lists(st.integers(2, 12), min_size=1, max_size=12)


def write(folder, parts, subject="ada", label="walking", rate_hz=50.0, seed=0):
    """A take with a gap between the parts; returns it and its signals."""
    random = np.random.default_rng(seed)
    file = TakeFile(folder, subject, label, "mpu6050", 0)
    signals, count = [], 0
    for number, length in enumerate(parts):
        if number:
            file.begin_recording()
            count += 7
        block = random.normal(0, 10, (length, 6)).astype(np.float32)
        file.append((count + np.arange(length)) / rate_hz, block, 0)
        signals.append(block)
        count += length
    file.close()
    return file, np.concatenate(signals)


@given(subject=NAMES, label=NAMES.filter(lambda name: name != "unlabelled"), parts=PARTS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_truncated_at_any_byte_it_is_readable_up_to_there(tmp_path_factory, subject, label, parts, data):
    file, signals = write(tmp_path_factory.mktemp("takes"), parts, subject, label)
    content = file.path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    file.path.write_bytes(content[:cut])
    whole_lines = content[:cut].count(b"\n")
    if whole_lines < 4 and cut < len(content):
        # Less than two samples for certain: nothing to make a recording of, or just enough.
        try:
            dataset = read_csv(file.path)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right here
            return
    else:
        dataset = read_csv(file.path)
    read = np.concatenate([recording.signals for recording in dataset.recordings])
    np.testing.assert_array_equal(read, signals[: len(read)])
    # A single sample after a gap has no rate, and a line that is not whole is lost.
    assert len(read) >= whole_lines - 2
    assert {(r.subject, r.rate_hz) for r in dataset.recordings} == {(subject, 50.0)}
    assert dataset.label_names == (label,)
    assert all((recording.labels != UNLABELLED).all() for recording in dataset.recordings)
    assert [len(r) for r in dataset.recordings][:-1] == parts[: len(dataset.recordings) - 1]


def test_every_cut_of_a_file_in_a_folder_leaves_the_others(tmp_path):
    write(tmp_path, [3])
    file, signals = write(tmp_path, [3, 2])
    content = file.path.read_bytes()
    for cut in range(len(content) + 1):
        file.path.write_bytes(content[:cut])
        dataset = load_dataset(tmp_path)
        later = [recording.signals for recording in dataset.recordings[1:]]
        read = np.concatenate([np.empty((0, 6), np.float32), *later])
        np.testing.assert_array_equal(read, signals[: len(read)])
        if content[:cut].count(b"\n") < 2:
            assert any("was left out" in oddity for oddity in dataset.oddities) or len(read) == 0
    assert dataset.oddities == () or "acceleration" in dataset.oddities[0]


def test_layout(tmp_path):
    file, _ = write(tmp_path, [2, 2], "Ada L.", "go up")
    header, *rows = file.path.read_text().splitlines()
    assert file.path.name == "Ada-L_go-up_1.csv"
    assert header == ",".join(("t", *CHANNELS, "label,subject,recording,sensor"))
    assert [row.split(",")[0] for row in rows] == ["0.000000", "0.020000", "0.180000", "0.200000"]
    assert [row.split(",", 7)[-1] for row in rows] == ["go up,Ada L.,go-up-1,mpu6050"] * 2 + [
        "go up,Ada L.,go-up-1.2,mpu6050"
    ] * 2


def test_takes_are_numbered_on_and_never_overwritten(tmp_path):
    first, _ = write(tmp_path, [3])
    content = first.path.read_bytes()
    (tmp_path / "ada_walking_7.csv").write_text("somebody's")
    (tmp_path / "ada_walking_x.csv").write_text("somebody's")
    second, _ = write(tmp_path, [3])
    assert (first.take, second.take) == (1, 8)
    assert write(tmp_path, [2], "ben")[0].path.name == "ben_walking_1.csv"
    assert first.path.read_bytes() == content


def test_a_name_taken_by_another_process_meanwhile(tmp_path, monkeypatch):
    write(tmp_path, [2])
    monkeypatch.setattr(os, "listdir", lambda folder: [])
    file, _ = write(tmp_path, [2])
    assert file.path.name == "ada_walking_2.csv"


def test_a_take_without_samples_leaves_no_file(tmp_path):
    TakeFile(tmp_path, "ada", "walking", "mpu6050", 0).close()
    assert list(tmp_path.iterdir()) == []


def test_gap_before_the_first_sample_is_no_new_recording(tmp_path):
    file = TakeFile(tmp_path, "ada", "walking", "mpu6050", 0)
    file.begin_recording()
    assert file.recording == "walking-1"
    file.close()


def test_is_forced_to_the_disk_once_a_second(tmp_path, monkeypatch):
    file = TakeFile(tmp_path, "ada", "walking", "mpu6050", 0)
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    one = np.zeros((1, 6), np.float32)
    for tenth in range(35):
        file.append(np.array([tenth / 10]), one, tenth * SECOND // 10)
    assert len(synced) == 3
    assert synced == sorted(set(synced))
    file.close()
    assert synced[-1] == file.path.stat().st_size


def test_appended_samples_are_in_the_file_at_once(tmp_path):
    file = TakeFile(tmp_path, "ada", "walking", "mpu6050", 0)
    file.append(np.arange(4) / 50, np.ones((4, 6), np.float32), 0)
    assert len(read_csv(file.path).recordings[0]) == 4
    file.close()


def test_a_failing_disk_is_one_line_and_keeps_the_written_samples(tmp_path, monkeypatch):
    file = TakeFile(tmp_path, "ada", "walking", "mpu6050", 0)
    file.append(np.arange(4) / 50, np.ones((4, 6), np.float32), 0)
    real = os.write

    def half_then_full(descriptor, content):
        if len(content) < 100:
            raise OSError(28, "No space left on device")
        return real(descriptor, bytes(content[: len(content) // 2]))

    monkeypatch.setattr(os, "write", half_then_full)
    with pytest.raises(SetupError) as caught:
        file.append(4 / 50 + np.arange(4) / 50, np.ones((4, 6), np.float32), 0)
    assert str(caught.value) == (
        f"{file.path}: found No space left on device, expected room and permission to write; "
        "the 4 samples of this take so far are kept; free space or choose another folder, and record again"
    )
    file.close()
    assert len(read_csv(file.path).recordings[0]) >= 4


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(SetupError, match="expected a writable folder"):
            prepare_folder(path)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SetupError, match="found no permission to write"):
        prepare_folder(tmp_path)


def test_a_folder_that_went_away(tmp_path):
    with pytest.raises(SetupError, match="No such file or directory"):
        TakeFile(Path(tmp_path / "gone"), "ada", "walking", "mpu6050", 0)


def test_an_interrupt_while_samples_are_written_is_not_swallowed(tmp_path):
    file = TakeFile(tmp_path, "ada", "walking", "mpu6050", 0)
    block = np.random.default_rng(0).normal(0, 10, (2000, 6)).astype(np.float32)
    random = np.random.default_rng(1)
    raised = caught = 0

    def interrupt(*_):
        nonlocal raised
        raised += 1
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        while raised < 100:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 6e-3))
            try:
                file.append(np.arange(len(block)) / 50, block, 0)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                caught += 1
    finally:
        signal.signal(signal.SIGALRM, before)
        file.close()
    assert caught == raised
