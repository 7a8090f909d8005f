"""Requests to a board through the system's ssh client, with the user's keys, agents, jump hosts and known hosts."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from deseptr.firmware_harness.programs import require_program

from .errors import FlashError
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

    Raises:
        FlashError: if the destination is invalid.
        SetupError: if there is no ssh client here.
    """

    def __init__(
        self, destination: str, options: SshOptions | None = None, python: str = "python3", sudo: bool = False
    ) -> None:
        if destination.startswith("-") or not destination or any(c.isspace() for c in destination):
            raise FlashError(
                destination, found="no destination", expected="user@host", next_step="name the board, as pi@raspberrypi"
            )
        require_program("ssh", expected="OpenSSH's client", next_step="install it")
        self.destination = destination
        self.sudo = sudo
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
            report: called with each progress line of the board.

        Raises:
            FlashError: if the board cannot be reached, or refuses.
        """
        with tempfile.TemporaryFile() as errors, self._process(errors) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(self._zip + json.dumps(request).encode() + b"\n")
                for chunk in payload:
                    process.stdin.write(chunk)
                process.stdin.close()
            except BrokenPipeError:
                pass  # the board's process ended early and reports the reason
            last = _listen(process.stdout, report)
            code = process.wait()
            errors.seek(0)
            return self._outcome(last, code, errors.read().decode(errors="replace"))

    @contextmanager
    def _process(self, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        remote = ["sudo", "-n"] if self.sudo else []
        remote += [self._python, "-c", _BOOT, str(len(self._zip))]
        command = [*self._ssh(), "--", self.destination, shlex.join(remote)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                _close(stream)

    def _ssh(self) -> list[str]:
        master = [f"ControlPath={self._folder}/c", "ControlMaster=auto", "ControlPersist=30"]
        return ["ssh", "-T", *(word for option in master for word in ("-o", option)), *self._options.words()]

    def _outcome(self, last: dict[str, Any], code: int, errors: str) -> Any:
        if "result" in last:
            return last["result"]
        if "refused" in last:
            raise FlashError(**last["refused"])
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        found = lines[-1] if lines else f"exit code {code}"
        if code == _NO_CONNECTION:
            next_step = "check the name, the network, and that `ssh` can connect"
        elif code in _NO_COMMAND:
            next_step = "install python3 there, or name it with --python"
        else:
            next_step = "see `deseptr firmware status` for the board's state"
        hint = next((text for mark, text in _HINTS.items() if mark in errors), next_step)
        raise FlashError(self.destination, found=found, expected="an answer", next_step=hint)


def _listen(stream: IO[bytes], report: Report) -> dict[str, Any]:
    """Pass on the progress lines, and return the last other message."""
    last: dict[str, Any] = {}
    for line in stream:
        try:
            message = json.loads(line)
        except ValueError:
            continue  # a greeting of the login shell
        if not isinstance(message, dict):
            continue
        if "say" in message:
            report(str(message["say"]))
        else:
            last = message
    return last


def _close(stream: IO[bytes] | None) -> None:
    try:
        if stream is not None:
            stream.close()
    except BrokenPipeError:
        pass
