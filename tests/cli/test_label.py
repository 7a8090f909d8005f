"""``deseptr data label`` from the command line to Ctrl-C, with a program in the place of a browser."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from deseptr.cli.main import main
from deseptr.data import load_dataset, save_dataset, synthetic_dataset


class Command:
    """The command as a process, and its page."""

    def __init__(self, folder: Path, *options: str) -> None:
        arguments = [sys.executable, "-m", "deseptr.cli", "data", "label", *options, "--no-browser"]
        self.process = subprocess.Popen(
            arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said = ""
        assert self.process.stdout is not None
        while not (found := re.search(r"(http://127\.0\.0\.1:\d+)(/\S+/)", self.said)):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()
            self.said += line
        self.origin, self.path = found.groups()

    def ask(self, what: str, body: Any = None) -> Any:
        headers = {"Origin": self.origin, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + self.path + what, data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def end(self) -> tuple[str, int]:
        self.process.send_signal(signal.SIGINT)
        said, errors = self.process.communicate(timeout=60)
        assert errors == "" or errors.startswith("next: ")
        return said + errors, self.process.returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_dataset(synthetic_dataset(subjects=1, seconds=4).select(labels=["walking"]), tmp_path / "walk.npz")
    return tmp_path


def test_labels_are_saved_kept_and_gone_on_with(folder: Path):
    before = (folder / "walk.npz").read_bytes()
    first = Command(folder, "walk.npz")
    state = first.ask("state")
    assert state["labels"]["names"] == ["walking"]
    rows = [[[0, 100, 0]], *([],) * 5]
    first.ask("save", {"revision": 0, "names": ["cycling"], "segments": rows})
    first.ask("keep", {"revision": 1, "names": [], "segments": [[]] * 6})
    said, code = first.end()
    assert code == 0
    assert "walk.labelled.npz: 1 segment, 0.4 min unlabelled" in said
    assert "walk.labelled.npz.unsaved.json: what was not saved" in said
    assert (folder / "walk.npz").read_bytes() == before
    assert load_dataset(folder / "walk.labelled.npz").label_names == ("cycling",)

    again = Command(folder, "walk.npz")
    assert "its labels are gone on with" in again.said
    assert "labels that were not saved are on the page again" in again.said
    state = again.ask("state")
    assert (state["labels"]["segments"], state["unsaved"]["segments"]) == (rows, [[]] * 6)
    assert "next:" not in said
    again.ask("save", {"revision": state["revision"], "names": ["cycling"], "segments": rows})
    said, _ = again.end()
    assert "\nnext: deseptr train walk.labelled.npz -o runs/walk\n" in said


def test_foreign_files_are_read_as_the_options_say(folder: Path):
    rows = "".join(f"{20 * row},0,0,1,0,0,90\n" for row in range(100))
    (folder / "log.csv").write_text("when,p,q,r,u,v,w\n" + rows)
    columns = "when=t_ms,p=acc_x_g,q=acc_y_g,r=acc_z_g,u=gyro_x_dps,v=gyro_y_dps,w=gyro_z_dps"
    command = Command(folder, "log.csv", "--columns", columns, "-o", "mine.csv")
    [recording] = command.ask("state")["recordings"]
    assert (recording["samples"], recording["rate_hz"]) == (100, pytest.approx(50))
    command.ask("save", {"revision": 0, "names": ["up"], "segments": [[[10, 20, 0]]]})
    command.end()
    [read] = load_dataset(folder / "mine.csv").recordings
    assert [tuple(each) for each in read.segments()] == [(0, 10, -1), (10, 20, 0), (20, 100, -1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv"], "does not exist"),
        (["walk.npz", "--port", "65536"], "65536 is not in the range"),
        (["walk.npz", "-o", "out.txt"], "found the suffix .txt"),
        (["walk.npz", "-o", "other.npz"], "something else, which would be lost"),
        (["walk.npz", "--time-unit", "ms"], "choices for reading text"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
):
    (folder / "other.npz").write_bytes(b"somebody's own")
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stopped:
        main(["data", "label", *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert sorted(each.name for each in folder.iterdir()) == ["other.npz", "walk.npz"]
