"""An installer that is killed with SIGKILL in its trial, with real processes, and a recovery on a read-only medium."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.zipapp import target_zip

from .conftest import BundleMaker, Sshd

# Installs a bundle and kills itself before the step that it is given.
_INSTALLER = """
import os, signal, sys
zipped, bundle, prefix, left, environment = sys.argv[1:]
sys.path.insert(0, zipped)
from pathlib import Path
from deseptr_target.deployment import Settings, install
from deseptr_target.releases import Releases
left = int(left)
def step(name):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
releases = Releases(Path(prefix), before=step)
releases.make()
settings = Settings("supervised", settle=0.2, environment=environment)
install(Path(bundle), releases, settings, step, program=Path(zipped).read_bytes())
"""
_NEVER = 1000
MOST_STEPS = 40


class Board:
    """A folder in which releases are installed by this user, without ssh."""

    def __init__(self, sshd: Sshd, folder: Path) -> None:
        self.python = sshd.python
        self.prefix = folder / "prefix"
        self.zip = folder / "target.pyz"
        self.zip.write_bytes(target_zip())

    def install(self, bundle: Path, environment: str, steps: int = _NEVER) -> int:
        words = [self.python, "-c", _INSTALLER, self.zip, bundle, self.prefix, str(steps), environment]
        return subprocess.run(list(map(str, words)), capture_output=True, check=False).returncode

    def ask(self, op: str) -> dict[str, object]:
        order = json.dumps({"op": op, "prefix": str(self.prefix), "lines": 1})
        ended = subprocess.run([self.python, self.zip, "serve"], input=f"{order}\n", capture_output=True, text=True)
        return dict(json.loads(ended.stdout.splitlines()[-1])["result"])

    def settled(self) -> dict[str, object]:
        """The board's state once the guard is through."""
        for _ in range(200):
            found = self.ask("status")
            if found["trial"] is None and found["service"] in ("active", "none") and not self._locked():
                return found
            time.sleep(0.1)
        raise AssertionError(found)

    def _locked(self) -> bool:
        with (self.prefix / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def environment(self) -> str:
        return (self.prefix / "current" / ".settings" / "service.env").read_text()


@pytest.fixture
def board(sshd: Sshd, tmp_path: Path) -> Iterator[Board]:
    made = Board(sshd, tmp_path)
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
