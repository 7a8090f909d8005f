"""Control of the service: through systemd, or through the supervisor where there is none."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from .durable import write_durably
from .manifest import Manifest
from .refusal import RefusedError
from .release_settings import LINK, PROGRAM
from .supervisor import LOG, read_state, remove_state, supervisor_pid
from .unit import NAME, unit_text

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
_TIMEOUT = 150.0
_STEP = 0.05  # seconds
_START_STEPS = 1800
_STOP_STEPS = 400
_START = "start"
_LONGEST_SAID = 200
_LINES_WITH_A_LABEL = 50


class Service(Protocol):
    """Runs a release as a service on the board."""

    def install(self, manifest: Manifest) -> None:
        """Install the service for ``manifest``'s release, without starting it."""

    def enable(self) -> None:
        """Have it started at boot, if possible."""

    def start(self, *, wait: bool = True) -> None:
        """Start it and wait until it is ready; raises :class:`RefusedError` if it does not become ready.

        Without ``wait``, it may be ready later.
        """

    def stop(self, *, wait: bool = True) -> None:
        """Stop it, if it runs; without ``wait``, its end may come later."""

    def state(self) -> str:
        """``active``, or the name of another state."""

    def says(self) -> str:
        """What it said of itself last, its label; empty if nothing."""

    def logs(self, lines: int) -> str:
        """The last lines of its log."""

    def retire(self, *, wait: bool = True) -> None:
        """Stop and uninstall it; without ``wait``, it may call this itself."""

    def remove(self) -> None:
        """Stop and uninstall it, and remove what it has stored."""


class Systemd:
    """The service as a systemd unit.

    Args:
        prefix: folder of the releases.
        python: the board's Python.
        scope: ``system`` or ``user``.
        run: runs a command.
        folder: folder of units; by default that of the scope.
    """

    def __init__(self, prefix: Path, python: str, scope: str, run: Run, folder: Path | None = None) -> None:
        self._prefix = prefix
        self._python = python
        self._scope = scope
        self._run = run
        home_units = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "systemd" / "user"
        self.unit = (folder or (Path("/etc/systemd/system") if scope == "system" else home_units)) / NAME

    def install(self, manifest: Manifest) -> None:
        """Write and load the unit."""
        text = unit_text(self._prefix, self._python, manifest, scope=self._scope).encode()
        if not self.unit.exists() or self.unit.read_bytes() != text:
            self.unit.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self.unit, text)
            self._do("daemon-reload")

    def enable(self) -> None:
        """Have the unit started with its manager."""
        self._do("enable", "--quiet", NAME)

    def start(self, *, wait: bool = True) -> None:
        """Start the unit; it is ready when the service notifies systemd (Type=notify)."""
        self._systemctl("reset-failed", NAME)
        self._do("start", *([] if wait else ["--no-block"]), NAME)

    def stop(self, *, wait: bool = True) -> None:
        """Stop the unit."""
        self._systemctl("stop", *([] if wait else ["--no-block"]), NAME)

    def state(self) -> str:
        """The answer of `systemctl is-active`."""
        return self._systemctl("is-active", NAME).stdout.strip() or "unknown"

    def says(self) -> str:
        """The status text that it sent to systemd."""
        return self._systemctl("show", "--property=StatusText", "--value", NAME).stdout.strip()[:_LONGEST_SAID]

    def logs(self, lines: int) -> str:
        """The unit's last lines in the journal."""
        user = ["--user"] if self._scope == "user" else []
        unit = "--user-unit" if user else "--unit"
        return self._run(["journalctl", f"{unit}={NAME}", "--no-pager", "--output=cat", f"--lines={lines}"]).stdout

    def retire(self, *, wait: bool = True) -> None:
        """Disable and delete the unit, and stop it last, since that may end this process."""
        self._systemctl("disable", "--quiet", NAME)
        self.unit.unlink(missing_ok=True)
        self.stop(wait=wait)
        if wait:
            self._systemctl("daemon-reload")

    def remove(self) -> None:
        """Disable and delete the unit, with the service's own state (StateDirectory=)."""
        self.stop()
        self._systemctl("clean", "--what=state", NAME)
        self.retire()

    def _systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run(["systemctl", *(["--user"] if self._scope == "user" else []), *words])

    def _do(self, *words: str) -> None:
        ended = self._systemctl(*words)
        if ended.returncode:
            answer = " ".join((ended.stderr or ended.stdout).split())[:200]
            raise RefusedError(
                f"systemctl {words[0]}",
                found=answer or f"exit code {ended.returncode}",
                expected="the service ready",
                next_step="see `deseptr firmware logs`",
            )


class Supervised:
    """The service under the supervisor of this package.

    Args:
        prefix: folder of the releases.
        python: the board's Python.
        sleep: waits for a number of seconds.
    """

    def __init__(self, prefix: Path, python: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._prefix = prefix
        self._python = python
        self._sleep = sleep
        self._recovering = prefix / PROGRAM

    def install(self, manifest: Manifest) -> None:
        """There is nothing to install: the supervisor starts the current release."""

    def enable(self) -> None:
        """Write a script that starts the service, for the board's own init."""
        python, recovering, prefix = (shlex.quote(str(word)) for word in (self._python, self._recovering, self._prefix))
        supervising = shlex.quote(str(self._prefix / "current" / LINK / PROGRAM))
        lines = [
            "#!/bin/sh",
            f"{python} {recovering} recover {prefix}",
            f"exec {python} {supervising} supervise {prefix}",
        ]
        write_durably(self._prefix / _START, "\n".join([*lines, ""]).encode(), mode=0o755)

    def start(self, *, wait: bool = True) -> None:
        """Start the supervisor in a session of its own, which outlives the connection, and wait for the first label."""
        self.stop()
        remove_state(self._prefix)
        program = self._prefix / "current" / LINK / PROGRAM
        subprocess.Popen(
            [self._python, str(program), "supervise", str(self._prefix)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self._prefix,
        )
        for _ in range(_START_STEPS if wait else 0):
            now = read_state(self._prefix)
            if now.ready:
                return
            if now.runs > 1 or (now.runs and supervisor_pid(self._prefix) is None):
                break
            self._sleep(_STEP)
        if not wait:
            return
        last = " ".join(self.logs(3).split())[-200:]
        raise RefusedError(
            "service", found=f"no label from it ({last})", expected="a label", next_step="see `deseptr firmware logs`"
        )

    def stop(self, *, wait: bool = True) -> None:
        """End the supervisor, which ends the service."""
        pid = supervisor_pid(self._prefix)
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait:
            return
        for _ in range(_STOP_STEPS):
            if supervisor_pid(self._prefix) is None:
                return
            self._sleep(_STEP)
        raise RefusedError("supervisor", found="it does not end", expected="its end", next_step=f"see process {pid}")

    def state(self) -> str:
        """``active`` once its present run has given a label."""
        if supervisor_pid(self._prefix) is None:
            return "inactive"
        return "active" if read_state(self._prefix).ready else "activating"

    def says(self) -> str:
        """The label in the newest line of its log that has one."""
        for line in reversed(self.logs(_LINES_WITH_A_LABEL).splitlines()):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            label = event.get("state") or event.get("label") if isinstance(event, dict) else None
            if isinstance(label, str):
                return label[:_LONGEST_SAID]
        return ""

    def logs(self, lines: int) -> str:
        """The end of the supervisor's log."""
        try:
            with (self._prefix / LOG).open(errors="replace") as file:
                return "".join(deque(file, lines))
        except OSError:
            return ""

    def retire(self, *, wait: bool = True) -> None:
        """Remove the script and stop it."""
        (self._prefix / _START).unlink(missing_ok=True)
        self.stop(wait=wait)

    def remove(self) -> None:
        """Remove the script and stop it; its log is in the prefix, which is removed after it."""
        self.retire()


def run_command(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; exit code 127 if it cannot be run."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def make_service(prefix: Path, kind: str) -> Service:
    """The service of a kind: ``system``, ``user`` or ``supervised``."""
    if kind == "supervised":
        return Supervised(prefix, sys.executable)
    return Systemd(prefix, sys.executable, kind, run_command)
