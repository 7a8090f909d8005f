"""The board's end of the connection: a request as one line of JSON on stdin, progress and a result on stdout.

`serve` answers one request; a first boot calls `install-once BUNDLE PREFIX`; the unit calls `recover PREFIX` before
each start; `supervise PREFIX` runs the service without systemd; `guard PREFIX` outlives an installer.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from . import deployment, upload
from .board_status import status
from .bundle import read_bundle
from .deployment import Settings
from .guard import COMMAND as GUARD, wait_for_end
from .installed_service import InstalledServices
from .measuring import measure
from .probe import probe
from .recovery import recover, restore
from .refusal import RefusedError
from .releases import Releases
from .supervisor import supervise

_LONGEST_LOG = 1 << 18  # characters of an answer


def main(arguments: list[str]) -> int:
    """Run the command in ``arguments``; exit code 2 is a refusal."""
    os.umask(0o022)
    command, *rest = arguments or ["serve"]
    try:
        if command == "serve":
            return _serve()
        return _by_hand(command, rest)
    except RefusedError as refusal:
        print(f"deseptr: {refusal}", file=sys.stderr)
        return 2


def _by_hand(command: str, rest: list[str]) -> int:
    if command == "recover":
        return _recover(Releases(Path(rest[0])))
    if command == "supervise":
        return supervise(Path(rest[0]))
    if command == GUARD:
        if wait_for_end(sys.stdin.buffer):
            restore(Releases(Path(rest[0])))
        return 0
    if command in ("install", "install-once"):
        releases = Releases(Path(rest[1]))
        if command == "install" or not releases.state().good:
            releases.make()
            settings = Settings(rest[2] if rest[2:] else "system")
            deployment.install(Path(rest[0]), releases, settings, print, program=_program())
        return 0
    raise RefusedError(command, found="no such command", expected="serve, install, recover or supervise", next_step="")


def _recover(releases: Releases) -> int:
    """Recover, and let the service start whatever happens: a card in trouble is no reason for it not to run."""
    try:
        recover(releases)
    except (OSError, RefusedError) as error:
        print(
            f"deseptr: {releases.prefix}: could not end an interrupted trial ({error}); the service starts",
            file=sys.stderr,
        )
    return 0


def _program() -> bytes | None:
    """The zip that this package runs from."""
    running = Path(sys.argv[0])
    return running.read_bytes() if running.suffix == ".pyz" else None


def _serve() -> int:
    # The trial must run to its end, also if the workstation disconnects.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    request = json.loads(sys.stdin.buffer.readline())
    try:
        _emit({"result": answer(request)})
    except RefusedError as refusal:
        _emit({"refused": refusal.to_dict()})
        return 2
    except OSError as error:
        where = error.filename or request["op"]
        lost = RefusedError(
            where, found=error.strerror, expected="a working file system", next_step="nothing was activated"
        )
        _emit({"refused": lost.to_dict()})
        return 2
    return 0


def answer(request: dict[str, Any]) -> Any:
    """The result of a request.

    Raises:
        RefusedError: if it cannot be carried out.
    """
    releases = Releases(Path(request["prefix"]).expanduser())
    return _OPERATIONS[request["op"]](releases, request)


def _probe(releases: Releases, request: dict[str, Any]) -> Any:
    return {**probe(releases.prefix), **releases.to_dict()}


def _offset(releases: Releases, request: dict[str, Any]) -> Any:
    releases.make()
    return {"offset": upload.offset(releases, request["sha256"])}


def _receive(releases: Releases, request: dict[str, Any]) -> Any:
    stream = sys.stdin.buffer
    assert isinstance(stream, io.BufferedReader)
    upload.receive(releases, stream, request["sha256"], request["size"], request["begin"])
    return {}


def _install(releases: Releases, request: dict[str, Any]) -> Any:
    bundle = upload.part_path(releases, request["sha256"])
    try:
        result = deployment.install(bundle, releases, Settings(**request["settings"]), _report, program=_program())
    except RefusedError:
        _drop_unless_whole(bundle)
        raise
    shutil.rmtree(bundle.parent, ignore_errors=True)
    return result


def _drop_unless_whole(bundle: Path) -> None:
    """Remove an invalid bundle; a valid one that was refused for the board's state can be tried again."""
    try:
        with bundle.open("rb") as stream:
            read_bundle(stream)
    except (OSError, RefusedError):
        shutil.rmtree(bundle.parent, ignore_errors=True)


def _roll_back(releases: Releases, request: dict[str, Any]) -> Any:
    return deployment.roll_back(releases, _report)


def _status(releases: Releases, request: dict[str, Any]) -> Any:
    return status(releases)


def _logs(releases: Releases, request: dict[str, Any]) -> Any:
    return {"text": InstalledServices(releases).current().logs(int(request["lines"]))[-_LONGEST_LOG:]}


def _uninstall(releases: Releases, request: dict[str, Any]) -> Any:
    return deployment.uninstall(releases)


def _measure(releases: Releases, request: dict[str, Any]) -> Any:
    return measure(releases, request, sys.stdin.buffer, _report)


_OPERATIONS = {
    "probe": _probe,
    "offset": _offset,
    "receive": _receive,
    "install": _install,
    "roll_back": _roll_back,
    "status": _status,
    "logs": _logs,
    "uninstall": _uninstall,
    "measure": _measure,
}


def _report(line: str) -> None:
    _emit({"say": line})


def _emit(message: dict[str, Any]) -> None:
    try:
        print(json.dumps(message), flush=True)
    except OSError:
        # The workstation has disconnected; the operation is completed nevertheless.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
