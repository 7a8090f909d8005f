"""Flashing a board: probe it, plan, make the bundle, send it, and have the board install and try it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from deseptr.contract import scratch_folder

from .bundle import BundleRequest, inspect_bundle, make_bundle
from .errors import FlashError
from .ssh import SshTarget
from .target.bundle import entry_of
from .target.manifest import BoardTarget, Manifest
from .target.reporting import Report
from .wheelhouse import check_target

SYSTEM_PREFIX = "/opt/deseptr"
USER_PREFIX = "~/.local/share/deseptr"
_CHUNK = 1 << 16
# Disk space as a multiple of the bundle's size: the upload, the unpacked wheels, and the compiled virtual environment.
_ROOM = 6
_LEAST_ROOM = 400 << 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FlashRequest:
    """A request to flash a board.

    Args:
        bundle: a finished bundle, or a request to make one, whose target is replaced by the board's.
        prefix: folder on the board; None for the default of the service.
        service: ``system``, ``user`` or ``supervised``; ``auto`` chooses what the board supports.
        allow_downgrade: whether a lower build may replace a higher one.
        keep: number of good releases that stay on the board.
        settle: time for which the started service must stay up, seconds.
        environment: NAME=VALUE lines for the service, which may contain secrets.
        trust: allowed-signers line; from then on, the board accepts only bundles signed with this key.
    """

    bundle: Path | BundleRequest
    prefix: str | None = None
    service: str = "auto"
    allow_downgrade: bool = False
    keep: int = 3
    settle: float = 5.0
    environment: str | None = None
    trust: str | None = None


@dataclass(frozen=True)
class Plan:
    """The plan of a flash.

    Args:
        destination: the board.
        board: facts about the board, from its probe.
        target: the platform of the wheels.
        service: ``system``, ``user`` or ``supervised``.
        sudo: whether it needs root on the board.
        prefix: folder on the board.
        notes: remarks for the user, one line each.
    """

    destination: str
    board: dict[str, Any]
    target: BoardTarget
    service: str
    sudo: bool
    prefix: str
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def find_plan(board: SshTarget, prefix: str | None, service: str) -> Plan:
    """Probe a board and choose how to run the service there.

    Raises:
        FlashError: if the board cannot be reached, or cannot run the service in the requested way.
    """
    asked = prefix or USER_PREFIX
    facts = board.call({"op": "probe", "prefix": asked})
    kind = _service(board.destination, facts, service)
    notes = []
    if kind == "supervised":
        notes.append(
            "no systemd used: a supervisor restarts the service, but neither starts it at boot nor sandboxes it"
        )
    elif kind == "user":
        notes.append("a user's unit starts at boot only after `loginctl enable-linger`")
    target = BoardTarget(facts["machine"], "{}.{}".format(*facts["python"]), facts["glibc"] or "0.0")
    place = prefix or (SYSTEM_PREFIX if kind == "system" else USER_PREFIX)
    if place != asked:
        facts = board.call({"op": "probe", "prefix": place})
    sudo = kind == "system" and not facts["root"]
    return Plan(board.destination, facts, target, kind, sudo, place, tuple(notes))


def plan_flash(board: SshTarget, request: FlashRequest) -> Plan:
    """Probe a board and plan a flash, without changing anything.

    Raises:
        FlashError: if the board cannot be reached or is not suitable.
        SetupError: if there are no wheels for it.
    """
    plan = find_plan(board, request.prefix, request.service)
    facts = plan.board
    if facts["glibc"] is None:
        raise _unsuitable(plan, "another C library than glibc", "glibc", "use Raspberry Pi OS or Debian")
    notes = [*plan.notes]
    if isinstance(request.bundle, BundleRequest):
        notes += check_target(plan.target)
        if plan.target.machine == "armv7l" and not facts["openblas"]:
            raise _unsuitable(
                plan,
                "no libopenblas0",
                "libopenblas0, for piwheels' numpy",
                "run `sudo apt install libopenblas0` there",
            )
        _check_bus(plan, request.bundle)
    if facts["prefix_problem"] is not None:
        raise _unsuitable(
            plan,
            f"{facts['prefix_problem']}, at {plan.prefix}",
            "one to write to and to run programs from",
            "choose another --prefix, or mount it otherwise",
        )
    if facts["free_bytes"] < _LEAST_ROOM:
        raise _unsuitable(plan, f"{facts['free_bytes'] >> 20} MiB free", f"{_LEAST_ROOM >> 20} MiB", "free space there")
    if request.trust is not None and not facts["ssh_keygen"]:
        raise _unsuitable(plan, "no ssh-keygen", "ssh-keygen, to verify signatures", "install openssh-client there")
    return replace(plan, notes=tuple(notes))


def flash(board: SshTarget, request: FlashRequest, plan: Plan, report: Report, progress: Progress) -> dict[str, Any]:
    """Carry out a plan: make or read the bundle, send it, and have the board install and try it.

    Args:
        board: the connection; used as root from here on if the plan requires it.
        request: the request.
        plan: the plan, from :func:`plan_flash`.
        report: called with a line for each step.
        progress: called with the bytes sent and their total.

    Returns:
        The release, the observations of its trial, and the releases removed.

    Raises:
        FlashError: if the board refuses or the trial fails; the previous release keeps running or is started again.
        ModelError, SetupError: if the bundle cannot be made.
    """
    board.sudo = plan.sudo
    with scratch_folder() as folder:
        if isinstance(request.bundle, BundleRequest):
            bundle = folder / "deseptr.bundle"
            manifest = make_bundle(bundle, replace(request.bundle, target=plan.target), report)
        else:
            bundle = request.bundle
            manifest = inspect_bundle(bundle)
        _check_room(plan, manifest, bundle.stat().st_size)
        sha256 = send_bundle(board, plan.prefix, bundle, progress)
        settings = {
            "service": plan.service,
            "allow_downgrade": request.allow_downgrade,
            "keep": request.keep,
            "settle": request.settle,
            "environment": request.environment,
            "trust": request.trust,
        }
        order = {"op": "install", "prefix": plan.prefix, "sha256": sha256, "settings": settings}
        result: dict[str, Any] = board.call(order, report=report)
    return result


def send_bundle(board: SshTarget, prefix: str, bundle: Path, progress: Progress) -> str:
    """Send a file, resuming an interrupted upload.

    Returns:
        Its SHA-256, which identifies it on the board.

    Raises:
        FlashError: if the connection breaks again.
    """
    entry = entry_of(bundle)
    upload = {"prefix": prefix, "sha256": entry.sha256, "size": entry.size}
    begin = min(board.call({"op": "offset", **upload})["offset"], entry.size)
    board.call({"op": "receive", "begin": begin, **upload}, payload=_chunks(bundle, begin, entry.size, progress))
    return entry.sha256


def _chunks(path: Path, begin: int, size: int, progress: Progress) -> Iterator[bytes]:
    progress(begin, size)
    with path.open("rb") as file:
        file.seek(begin)
        while chunk := file.read(_CHUNK):
            yield chunk
            progress(file.tell(), size)


def _service(destination: str, facts: dict[str, Any], wanted: str) -> str:
    if wanted == "auto":
        if not facts["systemd"]:
            return "supervised"
        wanted = "system"
    if wanted != "supervised" and not facts["systemd"]:
        raise FlashError(
            destination,
            found="no systemd running",
            expected=f"systemd, for a {wanted} unit",
            next_step="use --service supervised",
        )
    if wanted == "system" and not facts["sudo"]:
        raise FlashError(
            destination,
            found="a user who may not use sudo without a password",
            expected="root's rights for a system unit",
            next_step="allow sudo, or choose --service user",
        )
    return wanted


def _check_bus(plan: Plan, request: BundleRequest) -> None:
    if request.bus is None:
        return
    buses = {entry["bus"]: entry["usable"] for entry in plan.board["i2c"]}
    if request.bus not in buses:
        raise _unsuitable(
            plan,
            f"I2C buses {sorted(buses)}" if buses else "no I2C bus",
            f"/dev/i2c-{request.bus}",
            "enable it with `sudo raspi-config nonint do_i2c 0`, or try without a sensor: --simulate",
        )
    if not buses[request.bus] and plan.service != "system":
        raise _unsuitable(
            plan,
            f"no access to /dev/i2c-{request.bus} for this user",
            "permission to open it",
            "add the user to the group i2c there",
        )


def _check_room(plan: Plan, manifest: Manifest, size: int) -> None:
    needed = _ROOM * size
    if plan.board["free_bytes"] < needed:
        raise _unsuitable(
            plan,
            f"{plan.board['free_bytes'] >> 20} MiB free",
            f"{needed >> 20} MiB for {manifest.release}",
            "free space there",
        )


def _unsuitable(plan: Plan, found: str, expected: str, next_step: str) -> FlashError:
    return FlashError(plan.destination, found=found, expected=expected, next_step=next_step)
