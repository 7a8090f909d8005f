"""Takes that are recorded from the page: what is written, what a gap makes of it, and what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from live_page_served import Serve, beginning, received

from deseptr.contract import CHANNELS, DataError, SetupError
from deseptr.data import load_dataset
from deseptr.device.drained import Drained
from deseptr.device.live_page.page_recorder import PageRecorder


class Feed:
    """Reads of a sensor at 50 Hz, whose samples count upwards."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, samples: int, gap: str | None = None, lost: int = 0) -> Drained:
        self.count += lost
        numbers = np.arange(self.count, self.count + samples, dtype=np.float32)
        self.count += samples
        return Drained(
            float(numbers[0]) / 50 if samples else 0.0, np.tile(numbers[:, None], 6), CHANNELS, 50.0, gap, lost
        )


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def recorder(tmp_path: Path, told: list[dict[str, Any]]) -> PageRecorder:
    return PageRecorder(tmp_path / "takes", "mpu6050", told.append)


def recorded(folder: Path) -> list[tuple[str, str, list[float]]]:
    """Label, wearer and numbers of each recording."""
    dataset = load_dataset(str(folder))
    return [
        (dataset.label_names[each.labels[0]], each.subject, each.signals[:, 0].tolist()) for each in dataset.recordings
    ]


def test_a_take_is_what_was_read_between_start_and_stop(recorder: PageRecorder, tmp_path: Path, told: Any):
    feed = Feed()
    recorder.drained(feed.read(50))
    recorder.start("walking", "eve", None)
    for _ in range(4):
        recorder.drained(feed.read(25))
    recorder.stop()
    recorder.drained(feed.read(50))
    recorder.close()
    assert recorded(tmp_path / "takes") == [("walking", "eve", [float(each) for each in range(50, 150)])]
    (take,) = recorder.state()["takes"]
    assert take == {"name": "eve_walking_1.csv", "label": "walking", "samples": 100, "seconds": 2.0}
    assert told[0]["label"] == "walking"
    assert told[-1]["label"] is None


def test_a_length_ends_it_to_the_sample(recorder: PageRecorder, tmp_path: Path):
    feed = Feed()
    recorder.start("walking", "eve", 1.5)
    for _ in range(5):
        recorder.drained(feed.read(20))
    recorder.close()
    assert [len(each[2]) for each in recorded(tmp_path / "takes")] == [75]


def test_a_gap_begins_another_recording(recorder: PageRecorder, tmp_path: Path):
    feed = Feed()
    recorder.start("walking", "eve", None)
    recorder.drained(feed.read(60))
    recorder.drained(feed.read(60, "overflow", 10))
    recorder.close()
    assert [each[2][0] for each in recorded(tmp_path / "takes")] == [0.0, 70.0]


def test_another_recording_of_a_replay_is_not_joined(recorder: PageRecorder, tmp_path: Path):
    recorder.start("walking", "eve", None)
    for _ in range(2):
        recorder.drained(Feed().read(60))
        recorder.drained(Drained(1.2, np.full((60, 6), 7.0, np.float32), CHANNELS, 50.0))
    recorder.close()
    assert [len(each[2]) for each in recorded(tmp_path / "takes")] == [120, 120]


def test_a_start_while_recording_ends_the_take_before(recorder: PageRecorder, tmp_path: Path):
    feed = Feed()
    for label in ("walking", "sitting"):
        recorder.start(label, "eve", None)
        recorder.drained(feed.read(100))
    recorder.close()
    assert sorted(each[0] for each in recorded(tmp_path / "takes")) == ["sitting", "walking"]


def test_a_start_without_samples_leaves_no_file(recorder: PageRecorder, tmp_path: Path):
    recorder.start("walking", "eve", None)
    recorder.close()
    assert os.listdir(tmp_path / "takes") == []  # noqa: PTH208
    assert recorder.state()["takes"] == []


@pytest.mark.parametrize(("label", "subject"), [("", "eve"), ("walking", " "), ("a\x07b", "eve"), ("x" * 300, "eve")])
def test_names_that_are_none(recorder: PageRecorder, label: str, subject: str):
    with pytest.raises(DataError):
        recorder.start(label, subject, None)
    recorder.close()


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan"), "10", True, [1]])
def test_lengths_that_are_none(recorder: PageRecorder, seconds: Any):
    with pytest.raises(SetupError, match="up to a day"):
        recorder.start("walking", "eve", seconds)
    recorder.close()


def test_a_medium_in_trouble_is_said_and_the_run_goes_on(recorder: PageRecorder, tmp_path: Path):
    feed = Feed()
    (tmp_path / "takes").rmdir()
    recorder.start("walking", "eve", None)
    recorder.drained(feed.read(50))
    recorder.close()
    assert "No such file or directory" in recorder.state()["trouble"]


def test_a_failure_that_nobody_has_foreseen_is_said_and_the_run_goes_on(recorder: PageRecorder):
    feed = Feed()
    recorder.start("walking", "eve", 5)
    recorder.drained(replace(feed.read(50), rate_hz=float("nan")))
    recorder.close()
    assert recorder.state()["trouble"].startswith("ValueError: ")
    assert recorder.state()["label"] is None


def test_a_folder_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="expected a writable folder; choose another one with --web-recordings"):
        PageRecorder(tmp_path / "file", "mpu6050", lambda state: None)


@given(st.lists(st.tuples(st.integers(2, 60), st.sampled_from(["", "start", "stop", "gap"])), min_size=1, max_size=20))
def test_no_sample_is_lost_doubled_or_of_another_time(tmp_path_factory: pytest.TempPathFactory, steps: Any):
    folder = tmp_path_factory.mktemp("takes")
    recorder, feed = PageRecorder(folder, "mpu6050", lambda state: None), Feed()
    wanted: list[float] = []
    going = False
    for samples, what in steps:
        if what == "start":
            recorder.start("walking", "eve", None)
        elif what == "stop":
            recorder.stop()
        going = what == "start" or (going and what != "stop")
        drained = feed.read(samples, *(("overflow", 5) if what == "gap" else ()))
        recorder.drained(drained)
        wanted += drained.signals[:, 0].tolist() if going else []
    recorder.close()
    assert sum(take.samples for take in recorder.takes.values()) == len(wanted)
    if wanted:
        assert sorted(number for each in recorded(folder) for number in each[2]) == wanted


def test_over_the_server(serve: Serve, tmp_path: Path):
    served = serve(recordings=tmp_path / "takes")
    with served.watch() as socket:
        assert beginning(socket)["recording"][0]["takes"] == []
        assert served.post("record", {"label": "läuft", "subject": "eve", "seconds": 2}).status == 200
        assert received(socket, "recording")["label"] == "läuft"
        served.samples(0.0, 60)
        served.samples(1.2, 60)
        while not (state := received(socket, "recording"))["takes"]:
            pass
    name = state["takes"][0]["name"]
    answer = served.get("takes/eve_l%C3%A4uft_1.csv")
    assert (name, answer.status) == ("eve_läuft_1.csv", 200)
    assert answer.content == (tmp_path / "takes" / name).read_bytes()
    assert len(answer.content.splitlines()) == 101
    assert served.post("record", {"label": "", "subject": "eve"}).status == 400
    for other in ("takes/../takes/eve_x.csv", "takes/", "takes/%2e%2e%2feve", "takes/.."):
        assert served.get(other).status == 404
