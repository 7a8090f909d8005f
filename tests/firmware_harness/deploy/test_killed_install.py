"""An installer that is killed with SIGKILL in its trial, with real processes, and a recovery on a read-only medium."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from board import Board

from .conftest import BundleMaker, Sshd

MOST_STEPS = 40


@pytest.fixture
def board(sshd: Sshd, tmp_path: Path) -> Iterator[Board]:
    made = Board(sshd.python, tmp_path)
    yield made
    if made.prefix.exists():
        made.ask("uninstall")


def kill_at(board: Board, make_standin: BundleMaker, steps: int, build: int, before: tuple[object, str]) -> int:
    """Kill an update before a step, and check what runs then; the exit code of the installer."""
    code = board.install(make_standin("2.0", build), f"N={build}\n", steps)
    found = board.settled()
    assert (found["current"], board.environment()) in (before, (f"2.0-{build}", f"N={build}\n"))
    assert (found["service"], found["interrupted"]) == ("active", False)
    # It runs the release that it is said to run.
    label = json.loads(str(board.ask("logs")["text"]))["label"]
    assert label == str(found["current"]).partition("-")[0]
    return code


@pytest.mark.parametrize("steps", [pytest.param(6, id="on trial"), pytest.param(9, id="started")])
def test_update_killed_in_its_trial_leaves_a_release_running(board: Board, make_standin: BundleMaker, steps: int):
    assert board.install(make_standin("1.0", 1), "N=1\n") == 0
    assert kill_at(board, make_standin, steps, 2, ("1.0-1", "N=1\n")) == -signal.SIGKILL


def test_first_installation_killed_in_its_trial_leaves_nothing(board: Board, make_standin: BundleMaker):
    assert board.install(make_standin("1.0", 1), "N=1\n", 9) == -signal.SIGKILL
    found = board.settled()
    assert (found["current"], found["service"], found["good"]) == (None, "none", [])
    assert board.install(make_standin("1.0", 1), "N=1\n") == 0


def test_uninstall_after_a_killed_first_installation_leaves_no_log(board: Board, make_standin: BundleMaker):
    assert board.install(make_standin("1.0", 1), "N=1\n", 12) == -signal.SIGKILL
    board.settled()
    assert list(board.prefix.glob("service.log*"))
    board.ask("uninstall")
    assert not board.prefix.exists()


@pytest.mark.slow
def test_update_killed_before_every_step_leaves_a_release_running(board: Board, make_standin: BundleMaker):
    assert board.install(make_standin("1.0", 1), "N=1\n") == 0
    before: tuple[object, str] = ("1.0-1", "N=1\n")
    for steps in range(MOST_STEPS):
        code = kill_at(board, make_standin, steps, steps + 2, before)
        before = (board.ask("status")["current"], board.environment())
        if code == 0:
            break
    assert code == 0
    assert steps > 10


def test_measurement_that_is_killed_leaves_the_service_running(board: Board, make_standin: BundleMaker, tmp_path: Path):
    assert board.install(make_standin("1.0", 1), "N=1\n") == 0
    blocking = tmp_path / "fifo"
    os.mkfifo(blocking)
    commands = {"evaluate": ["device", "evaluate", str(blocking)]}
    order = json.dumps({"op": "measure", "prefix": str(board.prefix), "files": [], "commands": commands}).encode()
    pipe = subprocess.PIPE
    with subprocess.Popen([board.python, board.zip, "serve"], stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(order + b"\n")
        process.stdin.flush()
        with blocking.open("wb"):  # returns once the command reads it, for which the service has been stopped
            assert board.ask("status")["service"] == "inactive"
            process.kill()
    assert board.settled()["service"] == "active"


def read_only(board: Board) -> "subprocess.CompletedProcess[str]":
    """Recover on a mount of the prefix that is read-only."""
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; exec "$2" "$3" recover "$1"'
    enter = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "sh", "-c", script]
    words = [*enter, "sh", str(board.prefix), board.python, str(board.zip)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if ended.returncode == 77:
        pytest.skip("no mount namespace here")
    return ended


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare here")
def test_recovery_on_a_read_only_medium_lets_the_service_start(board: Board, make_standin: BundleMaker):
    assert board.install(make_standin("1.0", 1), "N=1\n") == 0
    (board.prefix / "lock").unlink()
    ended = read_only(board)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    # An interrupted trial cannot be ended there: that is said, and nothing else fails.
    state = json.loads((board.prefix / "state.json").read_text())
    (board.prefix / "state.json").write_text(json.dumps({**state, "trial": "1.0-1"}))
    ended = read_only(board)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (0, "", 1)
    assert "Read-only file system" in ended.stderr
    assert "the service starts" in ended.stderr
