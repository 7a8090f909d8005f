"""Requests to a board through the system's ssh client, with the user's keys, agents, jump hosts and known hosts."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from deseptr.firmware_harness.programs import require_program

from .answer_check import UnfitAnswerError
from .answers import ANSWERS
from .conversation import Conversation
from .errors import FlashError
from .exchange import BrokenExchangeError, exchange
from .target.reporting import Report
from .zipapp import target_zip

# Reads the zip from stdin, which continues with the request.
_BOOT = """\
import json, runpy, sys, tempfile
if sys.version_info < (3, 9):
    version = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps({"refused": dict(thing="the board's python3", found=version, expected="3.9 or newer",
                                      next_step="name a newer one with --python")}))
    sys.exit(2)
with tempfile.NamedTemporaryFile(prefix="deseptr-", suffix=".pyz") as file:
    file.write(sys.stdin.buffer.read(int(sys.argv[1])))
    file.flush()
    sys.argv = [file.name, "serve"]
    runpy.run_path(file.name, run_name="__main__")
"""
# Seconds for a whole answer: what the board itself allows its programs, and some more.
TIME_LIMITS = {
    "probe": 120.0,
    "offset": 120.0,
    "receive": 6 * 3600.0,
    "install": 3 * 3600.0,
    "roll_back": 900.0,
    "status": 300.0,
    "logs": 300.0,
    "uninstall": 900.0,
    "measure": 3 * 3600.0,
}
_LONGEST_FOUND = 500
_NO_CONNECTION = 255
_NO_COMMAND = (126, 127)
_HINTS = {
    "Host key verification failed": "compare the board's host key, then use --accept-new-host-key once; if it changed, "
    "find out why before `ssh-keygen -R`",
    "Permission denied": "put your key there with ssh-copy-id, or name it with --identity",
    "password is required": "allow sudo without a password, or use --service user",
}


def _silent(line: str) -> None:
    pass


@dataclass(frozen=True)
class SshOptions:
    """Options of the ssh connection.

    Args:
        port: port of sshd; None for that of ssh's configuration.
        identity: private key; None for those of ssh's configuration.
        accept_new_host_key: whether to trust the key of a new host; a changed key is always refused.
        config: another configuration file.
        timeout: timeout of the connection, seconds.
        further: ``KEY=VALUE`` options of ssh_config(5), which cannot override those above.
    """

    port: int | None = None
    identity: Path | None = None
    accept_new_host_key: bool = False
    config: Path | None = None
    timeout: int = 15
    further: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The options as words of ssh's command line; ssh uses the first value of each."""
        checking = "accept-new" if self.accept_new_host_key else "yes"
        fixed = {
            "BatchMode": "yes",
            "ConnectTimeout": str(self.timeout),
            "StrictHostKeyChecking": checking,
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "4",
        }
        words = ["-F", str(self.config)] if self.config else []
        words += [word for key, value in fixed.items() for word in ("-o", f"{key}={value}")]
        words += ["-p", str(self.port)] if self.port else []
        words += ["-i", str(self.identity), "-o", "IdentitiesOnly=yes"] if self.identity else []
        return words + [word for option in self.further for word in ("-o", option)]


class SshTarget:
    """A board behind ssh; one connection for all calls, closed at the end of the ``with`` block.

    Args:
        destination: ``user@host`` or a name of the ssh configuration.
        options: options of the connection.
        python: the board's Python.
        sudo: whether calls run as root.
        time_limits: seconds for the answer to each operation.

    Raises:
        FlashError: if the destination is invalid.
        SetupError: if there is no ssh client here.
    """

    def __init__(
        self,
        destination: str,
        options: SshOptions | None = None,
        python: str = "python3",
        sudo: bool = False,
        time_limits: Mapping[str, float] = TIME_LIMITS,
    ) -> None:
        if destination.startswith("-") or not destination or any(c.isspace() for c in destination):
            raise FlashError(
                destination, found="no destination", expected="user@host", next_step="name the board, as pi@raspberrypi"
            )
        require_program("ssh", expected="OpenSSH's client", next_step="install it")
        self.destination = destination
        self.sudo = sudo
        self.time_limits: Mapping[str, float] = time_limits
        self._options = options or SshOptions()
        self._python = python
        self._zip = target_zip()
        # A private folder, since anyone who can write to the socket can use the connection.
        self._folder = tempfile.mkdtemp(prefix="deseptr-ssh-")

    def __enter__(self) -> SshTarget:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if any(Path(self._folder).iterdir()):
            subprocess.run([*self._ssh(), "-O", "exit", "--", self.destination], capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, request: dict[str, Any], payload: Iterable[bytes] = (), report: Report = _silent) -> Any:
        """Send a request to the board and return its result.

        Args:
            request: ``op``, ``prefix`` and the arguments of the operation.
            payload: bytes that follow it.
            report: called with each progress line of the board, as the board wrote it.

        Returns:
            The answer, checked against its form in :data:`.answers.ANSWERS`.

        Raises:
            FlashError: if the board cannot be reached, refuses, or gives another or no answer within its time.
        """
        conversation = Conversation(report)
        sent = itertools.chain([self._zip + json.dumps(request).encode() + b"\n"], payload)
        with self._process() as process:
            try:
                code, errors = exchange(process, sent, self.time_limits[request["op"]], conversation.hear)
                result = conversation.result(ANSWERS[request["op"]])
            except (BrokenExchangeError, UnfitAnswerError) as error:
                raise FlashError(
                    self.destination,
                    found=error.found,
                    expected=error.expected,
                    next_step="see that the board is yours and its python3 sound; what it was doing may go on there",
                ) from error
        return self._no_answer(code, errors, conversation) if result is None else result

    @contextmanager
    def _process(self) -> Iterator[subprocess.Popen[bytes]]:
        remote = ["sudo", "-n"] if self.sudo else []
        remote += [self._python, "-c", _BOOT, str(len(self._zip))]
        command = [*self._ssh(), "--", self.destination, shlex.join(remote)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                assert stream is not None
                stream.close()

    def _ssh(self) -> list[str]:
        master = [f"ControlPath={self._folder}/c", "ControlMaster=auto", "ControlPersist=30"]
        return ["ssh", "-T", *(word for option in master for word in ("-o", option)), *self._options.words()]

    def _no_answer(self, code: int, errors: str, conversation: Conversation) -> NoReturn:
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        found = lines[-1] if lines else f"exit code {code}{conversation.noise()}"
        if code == _NO_CONNECTION:
            next_step = "check the name, the network, and that `ssh` can connect"
        elif code in _NO_COMMAND:
            next_step = "install python3 there, or name it with --python"
        else:
            next_step = "see `deseptr firmware status` for the board's state"
        hint = next((text for mark, text in _HINTS.items() if mark in errors), next_step)
        raise FlashError(self.destination, found=found[:_LONGEST_FOUND], expected="an answer", next_step=hint)
