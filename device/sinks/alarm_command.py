"""A command for each alarm: JSON on its standard input, the essentials in its environment."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from deseptr.contract import SetupError

from .delivery import AlarmMessage, DeliveryError

TIMEOUT_S = 60.0


class AlarmCommand:
    """Runs a command, which has taken an alarm when it ends with exit code 0.

    It gets the alarm's JSON on standard input, and ``DESEPTR_ALARM_EVENT``, ``…_STATE``, ``…_KEY`` and ``…_TIME`` in
    its environment. Its output goes nowhere, so that it cannot mix with the run's; its errors go to the run's stderr.

    Args:
        text: the command and its arguments, split as a shell does; no shell is involved.
        timeout_s: time after which it is killed with all that it started, seconds.

    Raises:
        SetupError: if there is no such command.

    >>> AlarmCommand("true --quietly").name
    'command true'
    """

    def __init__(self, text: str, *, timeout_s: float = TIMEOUT_S) -> None:
        try:
            self._arguments = shlex.split(text)
        except ValueError:
            self._arguments = []
        if not self._arguments or shutil.which(self._arguments[0]) is None:
            raise SetupError(
                "--alarm-command",
                found=f"no command {self._arguments[0]}" if self._arguments else "an open quotation mark or nothing",
                expected="a program that can be executed, with its arguments",
                next_step="name its full path",
            )
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The command's name in messages."""
        return f"command {Path(self._arguments[0]).name}"

    def deliver(self, message: AlarmMessage) -> None:
        """Run the command once.

        Raises:
            DeliveryError: if it cannot be started, fails or takes too long.
        """
        try:
            # A session of its own: Ctrl-C at the run's terminal does not end it, and a kill reaches all of it.
            process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=os.environ | _environment(message),
                start_new_session=True,
            )
        except OSError as error:
            raise DeliveryError(f"cannot be started ({error.strerror})") from error
        self._process = process
        try:
            process.communicate(message.body, timeout=self._timeout_s)
        except subprocess.TimeoutExpired as error:
            self.abort()
            process.communicate()
            raise DeliveryError(f"was killed after {self._timeout_s:g} s") from error
        finally:
            self._process = None
        if process.returncode:
            raise DeliveryError(f"ended with exit code {process.returncode}")

    def abort(self) -> None:
        """Kill a command that is running."""
        process = self._process
        if process is not None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)


def _environment(message: AlarmMessage) -> dict[str, str]:
    content = json.loads(message.body)
    alarm = content["data"]
    values = {"EVENT": alarm["event"], "STATE": alarm["state"], "KEY": alarm["key"], "TIME": content["timestamp"]}
    return {f"DESEPTR_ALARM_{name}": value for name, value in values.items()}
