"""A supervisor for boards without systemd: a container, a test, a board with another init.

It restarts the service on failure as the unit does, and keeps a bounded log. It has neither a sandbox nor a watchdog,
and does not start at boot: that takes a line in the board's own init, such as `@reboot PREFIX/start` in a crontab.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import logging.handlers
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from .environment import read_environment
from .release_settings import PROGRAM

LOG = "service.log"
_LOG_BYTES = 1 << 20
_LOGS_KEPT = 2
# As systemd's journal; a longer line is logged in pieces.
_LONGEST_LINE = 48 << 10
_LONGEST_WAIT = 60.0
_STATE = "supervisor.json"
# 0: finished; 2: wrong input, which a restart would not correct.
_FINAL = (0, 2)


def supervise(prefix: Path) -> int:
    """Start the current release, and restart it whenever it fails, until a signal ends the supervisor.

    Returns:
        The exit code of its last run; 0 if another supervisor is running.
    """
    with (prefix / "supervisor.pid").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        # As the unit does: what the service prints and keeps is not for other users.
        os.umask(0o077)
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return _keep_up(prefix, _log(prefix))


def supervisor_pid(prefix: Path) -> int | None:
    """Process id of the prefix's running supervisor; None without one."""
    try:
        with (prefix / "supervisor.pid").open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read())
    except (OSError, ValueError):
        pass
    return None


@dataclass(frozen=True)
class ServiceState:
    """State of the service under a supervisor.

    Args:
        runs: number of times that it was started.
        ready: whether its present run has given a label.
    """

    runs: int = 0
    ready: bool = False


def read_state(prefix: Path) -> ServiceState:
    """The state that the supervisor wrote last."""
    try:
        return ServiceState(**json.loads((prefix / _STATE).read_text()))
    except (OSError, ValueError, TypeError, RecursionError):
        return ServiceState()


def remove_state(prefix: Path) -> None:
    """Remove the state that an earlier supervisor wrote."""
    (prefix / _STATE).unlink(missing_ok=True)


def _write(prefix: Path, state: ServiceState) -> None:
    fresh = prefix / f".{_STATE}"
    fresh.write_text(json.dumps(asdict(state)))
    fresh.replace(prefix / _STATE)


def _keep_up(prefix: Path, log: logging.Logger) -> int:
    wait = 1.0
    for run in itertools.count(1):
        began = time.monotonic()
        code = _one_run(prefix, log, run)
        log.info("deseptr: ended with exit code %d", code)
        if code in _FINAL:
            return code
        if time.monotonic() - began > _LONGEST_WAIT:
            wait = 1.0
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
    raise AssertionError("counting has no end")


def _one_run(prefix: Path, log: logging.Logger, run: int) -> int:
    # As the unit does: an interrupted trial is ended by the copy of the last good release.
    recover = [sys.executable, str(prefix / PROGRAM), "recover", str(prefix)]
    subprocess.run(recover, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    _write(prefix, ServiceState(run))
    child = subprocess.Popen(
        [prefix / "current" / "run", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **read_environment(prefix / "current")},
        cwd=prefix,
    )
    try:
        assert child.stdout is not None
        ready = False
        # Without a limit, a service that ends no line fills the memory of the board.
        for line in iter(partial(child.stdout.readline, _LONGEST_LINE), b""):
            log.info("%s", line.decode(errors="replace").rstrip("\n"))
            if not ready and b'"label"' in line:
                ready = True
                _write(prefix, ServiceState(run, ready))
        return child.wait()
    finally:
        _write(prefix, ServiceState(run))
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def _log(prefix: Path) -> logging.Logger:
    log = logging.Logger("service", logging.INFO)
    handler = logging.handlers.RotatingFileHandler(prefix / LOG, maxBytes=_LOG_BYTES, backupCount=_LOGS_KEPT)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    return log


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
