"""The end of a supervisor: a process that holds the lock of its prefix."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.service import Supervised

HOLD = """
import fcntl, os, signal, sys, time
file = open(sys.argv[1], "w+")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(str(os.getpid()))
file.flush()
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("held", flush=True)
time.sleep(60)
"""


def supervisor(prefix: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(prefix / "supervisor.pid"), how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_stop_ends_it(tmp_path: Path):
    with supervisor(tmp_path, "obedient") as process:
        service = Supervised(tmp_path, sys.executable)
        assert service.state() == "activating"
        service.stop()
        assert service.state() == "inactive"
        assert process.wait(10) == -signal.SIGTERM


def test_one_that_does_not_end_is_named(tmp_path: Path):
    with supervisor(tmp_path, "deaf") as process:
        with pytest.raises(RefusedError, match=f"it does not end.*see process {process.pid}"):
            Supervised(tmp_path, sys.executable, sleep=lambda seconds: None).stop()
        process.kill()


def test_without_one_there_is_nothing_to_stop(tmp_path: Path):
    service = Supervised(tmp_path, sys.executable)
    service.stop()
    assert service.state() == "inactive"
    # A process that is no supervisor has its number now: it is left alone.
    (tmp_path / "supervisor.pid").write_text("1")
    service.stop()
    assert service.state() == "inactive"


ENDLESS = """#!/bin/sh
head -c 300000 /dev/zero | tr '\\0' x
exec sleep 20
"""


def test_a_line_without_end_is_logged_in_pieces_and_not_collected(tmp_path: Path):
    program = tmp_path / "current" / "run"
    program.parent.mkdir()
    program.write_text(ENDLESS)
    program.chmod(0o755)
    imports = "import sys, pathlib, deseptr.firmware_harness.deploy.target.supervisor as its"
    command = [sys.executable, "-c", f"{imports}; its.supervise(pathlib.Path(sys.argv[1]))", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        log = tmp_path / "service.log"
        try:
            # While the service still runs: it never ends the line.
            while process.poll() is None and not (log.exists() and log.stat().st_size > 250_000):
                time.sleep(0.05)
            assert process.poll() is None
            assert {len(line) for line in log.read_text().splitlines()} == {48 << 10}
        finally:
            process.terminate()
